"""How the neurons of an atlas are divided among batches, and what is fetched together."""

from __future__ import annotations

from ldam_studio.atlas import making
from ldam_studio.atlas.batches import LEAST_S, MOST, TASK_S, Batches, Job
from ldam_studio.networks.neurons import Neuron


def test_batches_last_about_as_long_as_each_other_and_become_smaller(order):
    job = Job(order, Neuron("conv1", 0), "")
    batches = Batches([job] * 1000)
    assert len(batches.take("a", 2)) == 1
    batches.learn("conv1", 1, TASK_S / 10)
    assert len(batches.take("a", 2)) == 10
    batches.learn("conv1", 1, LEAST_S / 40)
    assert len(batches.take("a", 2)) == -(-989 // 4) <= MOST
    sizes = []
    while batch := batches.take("a", 2):
        sizes.append(len(batch))
    assert sizes == sorted(sizes, reverse=True) and sizes[-2] == 40
    assert sum(sizes) == 989 - 248


def test_no_neuron_waits_before_it_is_known_how_long_one_takes(order):
    batches = Batches([Job(order, Neuron("conv1", i), "") for i in range(99)])
    assert [len(batches.take(worker, 2)) for worker in "abb"] == [1, 1, 0]
    batches.learn("conv1", 0, 0.1)  # it was there already, or cannot be drawn
    assert [len(batches.take("a", 2)) for _ in range(2)] == [1, 0]
    batches.learn("conv1", 1, TASK_S / 10)
    assert len(batches.take("a", 2)) == 10


def test_the_next_layer_begins_with_what_the_last_one_took(order):
    neurons = [Neuron("conv1", 0), *(Neuron("conv2", i) for i in range(99))]
    batches = Batches([Job(order, neuron, "") for neuron in neurons])
    batches.take("a", 1)
    batches.learn("conv1", 1, TASK_S / 40)
    assert len(batches.take("a", 1)) == 10


def test_workers_stay_with_layers_of_their_own_until_only_those_of_others_are_left(order):
    numbers = {"conv1": 4, "conv2": 90, "fc1": 2}
    neurons = [Neuron(layer, i) for layer, count in numbers.items() for i in range(count)]
    batches = Batches([Job(order, neuron, "") for neuron in neurons])

    def given(worker: str) -> tuple[str, int]:
        batch = batches.take(worker, 2)
        batches.learn(batch[0].neuron.layer, len(batch), TASK_S / 10 * len(batch))
        return batch[0].neuron.layer, len(batch)

    assert [given(worker) for worker in "ab"] == [("conv1", 1), ("conv2", 2)]
    assert [given(worker)[0] for worker in "ab"] == ["conv1", "conv2"]
    assert [given(worker)[0] for worker in "abaa"] == ["fc1", "conv2", "conv2", "conv2"]


def test_what_is_fetched_together_takes_little_memory(order):
    def together(sizes: dict[str, float]) -> list[str]:
        """Return what is fetched of a hundred batches of two neurons each."""
        layers = dict.fromkeys([f"conv1 {i}" for i in range(3)], "conv1")
        layers |= dict.fromkeys([f"fc3 {i}" for i in range(97)], "fc3")
        ended = {name: (Job(order, Neuron(layer, 0), ""),) * 2 for name, layer in layers.items()}
        return making._together(ended, sizes)

    assert together({}) == ["conv1 0"]
    assert together({"conv1": 9.0}) == ["conv1 0", "conv1 1", "conv1 2"]
    assert together({"conv1": making.ROOM / 4}) == ["conv1 0", "conv1 1"]
    assert together({"conv1": making.ROOM}) == ["conv1 0"]
    assert len(together({"conv1": 0.0, "fc3": 0.0})) == making.AT_ONCE
