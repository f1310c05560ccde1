"""How a network behaves is found by values: randomness, mixed images, kept state, layouts."""

from __future__ import annotations

import functools
import random
import threading
from collections import deque
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.sums import row_sums
from ldam_studio.networks.behaviour import randomness
from ldam_studio.networks.behaviour.behaviour import Behaviour
from ldam_studio.networks.behaviour.randomness import passes_seeded, seeded
from ldam_studio.networks.behaviour.state import Kept
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.own_module import in_float32
from special_networks import LAYOUTS, MIXING, PIXELS, RANDOM, REMEMBERING, build

EVERY = {**LAYOUTS, **MIXING, **RANDOM, **REMEMBERING}


def images(count: int = 3, seed: int = 5) -> Tensor:
    return torch.rand((count, *PIXELS.shape), generator=torch.Generator().manual_seed(seed))


def value_and_gradient(run, x: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    leaf = x.clone().requires_grad_(True)
    value = run(leaf)
    weights = torch.linspace(-1, 2, value[0].numel()).reshape(value[0].shape)
    (gradient,) = torch.autograd.grad((value[:rows] * weights).sum(), leaf)
    return value.detach(), gradient


def plain(kinds, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return what torch gives, with the module as it was made."""
    module = build(kinds, name).eval()
    return value_and_gradient(lambda x: module((x - 0.5) / 0.25), x)


@functools.cache
def of_kind(name: str) -> Network:
    """Return a network of any kind, opened once for all tests, which must not change it."""
    return opened(EVERY, name)


def opened(kinds, name: str) -> Network:
    return Network("it", build(kinds, name), PIXELS)


def ours(network: Network, x: Tensor, rows: int | None = None) -> tuple[Tensor, Tensor]:
    last = network.layers[-1].name
    return value_and_gradient(lambda x: network.output(x, last), x, rows)


def assert_same(found, expected) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_network_is_prepared_only_as_far_as_it_stays_the_same(name):
    network = of_kind(name)
    assert network.behaviour.is_plain
    assert not network.behaviour.notes
    for count in (1, 3):
        assert_same(ours(network, images(count)), plain(LAYOUTS, name, images(count)))


OWN = {"own generator", "own generator of numpy", "own generator of python", "rrelu"}
"""Those that have a generator of their own, or draw as many numbers as the images ask for."""


@pytest.mark.parametrize("name", RANDOM)
def test_random_numbers_of_a_pass_are_those_of_its_seed(name):
    network = of_kind(name)
    assert any("draws random numbers" in note for note in network.behaviour.notes)
    x = images()
    with passes_seeded(4):
        first, again = ours(network, x), ours(network, x)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    with passes_seeded(6):
        others = [ours(network, x)[0]]
    for seed in range(7, 11):  # a coin may fall on the same side
        with passes_seeded(seed):
            others.append(ours(network, x)[0])
    assert any(not torch.equal(first[0], other) for other in others)


@pytest.mark.parametrize("name", [name for name in RANDOM if name not in OWN])
def test_random_numbers_are_those_that_torch_gives_for_the_seed(name):
    network = of_kind(name)
    with passes_seeded(4):
        found = ours(network, images())
    with seeded(4):
        expected = plain(RANDOM, name, images())
    assert_same(found, expected)


@pytest.mark.parametrize("name", [*RANDOM, "centred", "buffer"])
def test_nobody_elses_random_numbers_are_disturbed(name):
    before = randomness.states()
    network = opened(EVERY, name)
    ours(network, images(2))
    assert randomness.same(before, randomness.states())


@pytest.mark.parametrize("name", MIXING)
def test_images_that_act_on_each_other_are_run_one_at_a_time(name):
    network = of_kind(name)
    assert any("one at a time" in note for note in network.behaviour.notes)
    x = images()
    alone = [plain(MIXING, name, one) for one in x.split(1)]
    expected = torch.cat([a[0] for a in alone]), torch.cat([a[1] for a in alone])
    assert_same(ours(network, x), expected)
    _, gradient = ours(network, x, rows=1)
    assert not gradient[1:].any()


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_pass_begins_with_the_state_of_opening(name):
    network = of_kind(name)
    assert any("keeps state" in note for note in network.behaviour.notes)
    first = ours(network, images(1))
    ours(network, 7 * images(2, seed=8))
    ours(network, images(1, seed=9))
    again = ours(network, images(1))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert_same(again, plain(REMEMBERING, name, images(1)))


@pytest.mark.parametrize(
    "name", ["convolutional", "dropout in evaluation mode", "keeps its maps", "list in itself"]
)
def test_what_is_not_special_is_plain(name):
    module = build(LAYOUTS, "integer buffer")
    if name == "list in itself":
        module.ring = [{}, (deque(),)]
        module.ring[0]["ring"] = module.ring
        module.ring[1][0].append(module.ring[1])
    if name == "dropout in evaluation mode":
        module.head = nn.Sequential(nn.Dropout(0.5), module.head)
    if name == "keeps its maps":  # for others to look at
        module.give = lambda b, x: b.head(setattr(b, "kept", b.features(x)) or b.kept)
    assert Network("it", module, PIXELS).behaviour == Behaviour()


def test_a_plain_network_opens_with_six_passes_and_its_batch_norms_are_folded():
    passes = []

    class Normed(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            passes.append(len(x))
            return super().forward(x)

    parts = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5)
    network = Network("it", Normed(*parts), PIXELS)
    # Before and after it is prepared; two images alone; its layers; the folded copy.
    assert passes == [2, 3, 1, 1, 1, 1]
    assert network.behaviour.is_plain and network.folds("4")
    assert [(layer.batch, layer.alone) for layer in network.layers] == [(0, False)] * 5


def test_layers_whose_shapes_depend_on_values_are_those_of_one_image_given_twice():
    def give(body, x: Tensor) -> Tensor:
        y = body.features(x)
        padded = torch.cat([y, y.new_zeros(len(y), 4)], 1) if x.abs().amax() > 5 else y
        return body.head(body.act(padded)[:, :8])

    module = build(LAYOUTS, "integer buffer")
    module.act, module.give = nn.ReLU(), give
    network = Network("it", module, PIXELS)
    assert network.behaviour.is_plain
    assert not network.layer("act").alone and network.layer("act").shape == (8,)


@pytest.mark.parametrize("shape", [(3,), (3, 7), (3, 5, 8), (3, 4, 6, 6), (2, 3, 4, 4, 4)])
def test_sums_by_which_outputs_are_compared_tell_exchanged_places(shape):
    outputs = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    sums = row_sums(outputs)
    torch.testing.assert_close(sums[:, 0], outputs.reshape(len(outputs), -1).abs().sum(1))
    in_other_order = outputs.transpose(0, -1).contiguous().transpose(0, -1)
    torch.testing.assert_close(row_sums(in_other_order), sums)
    for dim in range(1, outputs.ndim):
        assert not torch.allclose(row_sums(outputs.roll(1, dim)), sums)
        third_first = torch.tensor([2, 1, 0, *range(3, outputs.shape[dim])])
        assert not torch.allclose(row_sums(outputs.index_select(dim, third_first)), sums)


def test_a_batch_norm_after_a_linear_layer_sees_noise_beside_each_image():
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.norm = build(LAYOUTS, "integer buffer"), nn.BatchNorm1d(5)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm.train()(self.body(x))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network("it", Normed(), PIXELS)
    x = images()
    assert network.behaviour.least == 2
    assert network.behaviour.apart
    value, gradient = ours(network, x)
    with torch.no_grad():
        body = network.module.body
        noise = network.noise()
        for one, found in zip(x, value, strict=True):
            pair = body(torch.cat([network.normalise(one[None]), noise]))
            torch.testing.assert_close(
                found, nn.functional.batch_norm(pair, None, None, training=True)[0]
            )
    assert gradient.any()
    assert_same((ours(network, x[:1])[0],), (value[:1],))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_network_for_a_fixed_number_of_images_gets_so_many(count):
    module = build(LAYOUTS, "integer buffer")

    def give(body, x: Tensor) -> Tensor:
        views = x.view(-1, count, *x.shape[1:])  # views of one thing
        return body.head(body.features(views.flatten(0, 1))) + len(views)

    module.give = give
    network, x = Network("it", module, PIXELS), images()
    assert network.behaviour.least == count
    assert any(f"takes {count} images at least" in note for note in network.behaviour.notes)
    expected = module.head(module.features(network.normalise(x))) + 1
    torch.testing.assert_close(ours(network, x)[0], expected.detach())


def test_a_network_that_squeezes_a_single_image_is_plain():
    module = build(LAYOUTS, "integer buffer")
    module.give = lambda b, x: b.head(b.features(x)).squeeze()
    network, x = Network("it", module, PIXELS), images()
    assert network.behaviour.is_plain
    assert_same((ours(network, x[:1])[0],), (ours(network, x)[0][:1],))


def test_code_that_computes_in_other_precisions_is_left_to_it():
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        module = build(LAYOUTS, "integer buffer").to(dtype)
        module.norm = nn.BatchNorm2d(8).to(dtype)
        module.give = lambda b, x, t=dtype: b.head(b.norm(b.maps(x.to(t))).mean((2, 3)))
        module.pixels, x = PIXELS, images()
        expected = module.eval()((x - 0.5) / 0.25).detach().float()
        assert "stay" in in_float32(module, PIXELS)[0]
        network = Network("it", module, PIXELS)
        found, gradient = ours(network, x)
        torch.testing.assert_close(found.float(), expected)
        assert gradient.any()


def test_the_gradient_is_compared_too_when_a_network_is_prepared():
    # In channels_last, torch's own gradient of this layer is wrong.
    module = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8, track_running_stats=True)),
        *(nn.Conv2d(8, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    ).eval()
    expected = value_and_gradient(lambda x: module((x - 0.5) / 0.25), images(2))
    assert_same(ours(Network("it", module, PIXELS), images(2)), expected)


def test_dropout_can_be_left_out():
    network = opened(RANDOM, "functional dropout")
    network.behave(Behaviour(draws=True, random=True, steady=True))
    module, x = build(RANDOM, "functional dropout"), images()
    expected = module.head(module.features((x - 0.5) / 0.25)).detach()
    torch.testing.assert_close(ours(network, x)[0], expected)
    noisy = opened(RANDOM, "variational")
    noisy.behave(Behaviour(draws=True, random=True, steady=True))
    with passes_seeded(1):
        one = ours(noisy, x)[0]
    with passes_seeded(2):
        assert torch.equal(ours(noisy, x)[0], one)


def test_another_thread_draws_its_own_numbers_meanwhile():
    network, x = opened(RANDOM, "variational"), images()
    with passes_seeded(3):
        expected = ours(network, x)[0]
    stop, drawn = threading.Event(), []

    def draw() -> None:
        while not stop.is_set():
            with seeded(9):
                drawn.append((float(torch.rand(())), random.random(), np.random.rand()))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        with passes_seeded(3):
            for _ in range(20):
                assert torch.equal(ours(network, x)[0], expected)
    finally:
        stop.set()
        thread.join()
    assert len(set(drawn)) == 1


def test_what_cannot_be_repeated_is_said():
    module = build(LAYOUTS, "integer buffer")
    fresh = random.SystemRandom()
    module.give = lambda b, x: b.head(b.features(x)) * fresh.random()
    network = Network("it", module, PIXELS)
    assert any("a replay will differ" in note for note in network.behaviour.notes)


@pytest.mark.parametrize("name", ["hidden state", "buffer", "object", "parameter"])
def test_a_copy_with_other_weights_has_a_state_of_its_own(name):
    network, other = of_kind(name), build(REMEMBERING, name)
    with torch.no_grad():
        for weight in (other.first.weight, other.head.weight):
            weight.mul_(1.5)
    twin = network.twin(other.state_dict(), WeightsFile(Path("w.pt"), "0"))
    expected = value_and_gradient(lambda x: other.eval()((x - 0.5) / 0.25), images(1))
    before = ours(network, images(1))
    for _ in range(2):
        assert_same(ours(twin, images(1)), expected)
        assert torch.equal(ours(network, images(1))[0], before[0])


@pytest.mark.parametrize("name", ["centred", "functional dropout", "buffer"])
def test_images_of_another_size_are_run_in_the_same_way(name):
    network = of_kind(name).at_side(16)
    x = torch.rand(3, 3, 16, 16)
    module = build(EVERY, name).eval()
    parts = x.split(1) if name == "centred" else [x]
    with seeded(0):
        found = [value_and_gradient(lambda x: module((x - 0.5) / 0.25), one) for one in parts]
    expected = [torch.cat(each) for each in zip(*found, strict=True)]
    assert_same(ours(network, x), expected)


@pytest.mark.parametrize("objective", ["mix", "log-probability", "pre-activation"])
def test_class_values_are_those_of_single_images(objective):
    module = build(LAYOUTS, "integer buffer")
    module.give = lambda b, x: (b.head(b.features(x - x.mean(0) / 2)) + 0.1).relu().softmax(1)
    network, x = Network("it", module, PIXELS), images()
    neurons = [Neuron("output", i) for i in range(3)]
    value = network.class_value("output", objective)
    found = network.activation(x, network.units(neurons, value))
    alone = [
        network.activation(one, network.units([neuron], value))
        for one, neuron in zip(x.split(1), neurons, strict=True)
    ]
    torch.testing.assert_close(found, torch.cat(alone))
    logits = module.head(module.features((x[1:2] - 0.5) / 0.25 / 2)) + 0.1
    log_p = logits.relu().log_softmax(1)
    right = {"mix": logits + log_p, "log-probability": log_p, "pre-activation": logits}
    torch.testing.assert_close(found[1], right[objective][0, 1], rtol=1e-4, atol=1e-5)


def test_moments_are_those_of_single_images():
    network, x = of_kind("batch norm without statistics"), images()
    together = network.output_and_moments(x, "head", ["second", "norm"])
    alone = [network.output_and_moments(one, "head", ["second", "norm"]) for one in x.split(1)]
    torch.testing.assert_close(together[0], torch.cat([output for output, _ in alone]))
    for layer in range(2):
        expected = torch.cat([moments[layer] for _, moments in alone])
        torch.testing.assert_close(together[1][layer], expected)


def test_networks_of_a_recipe_that_records_nothing_are_run_as_then():
    network = opened(MIXING, "batch norm without statistics")
    network.behave(network.behaviour.as_recorded(()))
    assert "behaviour" not in network.reference
    assert_same(ours(network, images()), plain(MIXING, "batch norm without statistics", images()))


@pytest.mark.parametrize("name", ["centred", "variational", "buffer", "volume"])
def test_what_is_recorded_is_how_it_is_run(name):
    network = of_kind(name)
    recorded = network.reference.get("behaviour", ())
    assert network.behaviour.as_recorded(recorded).recorded == tuple(recorded)
    assert bool(recorded) == (name != "volume")


class Sharing(nn.Module):
    """Two modules that hand an image on in one dictionary, as skips do."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.kept = self.down.kept = {}

    def forward(self, x):
        self.down.kept["x"] = self.down(x)
        return self.up(x) + self.kept["x"]


def test_a_container_that_two_modules_hold_stays_one():
    module = Sharing()
    kept = module.kept
    state = Kept(module)
    module(torch.zeros(1, 3, 8, 8))
    state.restore()
    assert module.kept is kept and module.down.kept is kept
    module(torch.zeros(1, 3, 8, 8))
