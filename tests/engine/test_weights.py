"""Other weights under running chains, as a network that is being trained gets them."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from folders import at_rest
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.apply import apply
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.watching.reader import take
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.anatomy.layers import PassHook, Stop, noting
from ldam_studio.networks.anatomy.listing import list_layers
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.opening import (
    Options,
    fingerprint,
    open_network,
)
from ldam_studio.networks.weights.weights import read_saved
from ldam_studio.sampler.moments import moments_of
from ldam_studio.training import CheckpointWriter


@pytest.fixture
def later(tmp_path, lenet):
    """LeNet with the weights of a made-up training step."""
    torch.manual_seed(3)
    path = CheckpointWriter(tmp_path).write(LeNet5(), step=7)
    saved, sha256 = read_saved(path)
    return lenet.with_weights(saved, path, sha256)


def test_a_twin_is_the_network_opened_with_these_weights(later, lenet):
    opened = open_network("lenet", later.weights)
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    for layer in lenet.layers:
        assert torch.equal(later.output(x, layer.name), opened.output(x, layer.name))
    assert later.reference == opened.reference
    assert later.receptive_field("conv2") == opened.receptive_field("conv2")
    assert not torch.equal(lenet.output(x, "fc3"), later.output(x, "fc3"))


def test_chains_go_on_under_other_weights(open_one, later, run):
    state, _ = run(open_one(), 5)
    x, samples = state.lane.chains.x.clone(), state.lane.average.count.clone()
    state, info = advance(state, [Change("weights", later)], budget=0)
    assert torch.equal(state.lane.chains.x, x)
    assert torch.equal(state.lane.average.count, samples)
    assert info.marks == (f"weights {later.weights.name}",)
    state, info = advance(state)
    units = later.units(state.lane.neurons)
    assert torch.allclose(
        info.lanes[0].activation, later.activation(x, units), rtol=1e-4, atol=1e-5
    )


def test_the_noise_is_that_of_chains_without_it(open_one, later, run):
    settings = {"mode": "exact", "l2": 0.0, "discriminator_weight": 0.0}
    free, _ = run(open_one(**settings), 3)
    swapped, _ = run(open_one(**settings), 3)
    free, _ = advance(free)
    swapped, _ = advance(swapped, [Change("weights", later)])
    for name in free.generators.state():
        assert torch.equal(free.generators.state()[name], swapped.generators.state()[name])


def test_a_picture_of_it_replays(open_one, later, run, tmp_path):
    state, _ = run(open_one(), 12, {6: [("weights", later)]})
    exported = export(state, Shown(), tmp_path / "picture.png")
    assert compare(exported.path).identical


def test_another_architecture_is_refused(open_one, tmp_path, lenet):
    path = CheckpointWriter(tmp_path).write(torch.nn.Linear(3, 4), step=1)
    saved, sha256 = read_saved(path)
    with pytest.raises(StudioError, match="another architecture"):
        lenet.with_weights(saved, path, sha256)


def test_weights_that_diverged_are_refused(tmp_path, lenet):
    module = LeNet5()
    torch.nn.init.constant_(module.fc3.bias, torch.nan)
    path = CheckpointWriter(tmp_path).write(module, step=1)
    saved, sha256 = read_saved(path)
    with pytest.raises(StudioError, match="not finite"):
        lenet.with_weights(saved, path, sha256)


def test_hooks_of_a_look_that_is_under_way_are_not_copied(lenet, tmp_path):
    own = lenet.module.fc3.register_forward_hook(lambda *_: None)
    look = lenet.module.conv1.register_forward_hook(Stop(lenet.layer("conv1"), 1))
    try:
        twin = lenet.twin(LeNet5().state_dict(), WeightsFile(tmp_path / "a", "0"))
        assert not twin.module.conv1._forward_hooks
        assert list(twin.module.fc3._forward_hooks) == [own.id]
        assert list(lenet.module.conv1._forward_hooks) == [look.id]
        twin.module.fc3._forward_hooks.clear()
    finally:
        own.remove()
        look.remove()


def test_hooks_that_note_outputs_are_not_copied(lenet, tmp_path):
    """Photo statistics note moments in every step, and a change of size lists the layers."""
    before = lenet.module.conv1.register_forward_pre_hook(PassHook(lambda *_: None))
    try:
        with noting(lenet.module, ["conv1", "fc1"], moments_of):
            twin = lenet.twin(LeNet5().state_dict(), WeightsFile(tmp_path / "a", "0"))
    finally:
        before.remove()
    hooks = [(m._forward_hooks, m._forward_pre_hooks) for m in twin.module.modules()]
    assert not any(table for tables in hooks for table in tables)


class Between(nn.Module):
    """Does nothing but call a function."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        self.call()
        return x


def test_layers_are_listed_while_another_thread_runs_the_network():
    """The other thread is inside of a module while the listing leaves and enters others."""
    inside, over, failed = threading.Event(), threading.Event(), []

    def wait():
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            over.wait(5)

    def step():
        try:
            slow(torch.zeros(1, 2, 4, 4))
        except Exception as error:
            failed.append(error)

    other, slow = threading.Thread(target=step), Between(wait)
    start = Between(lambda: (other.start(), inside.wait(5)))
    end = Between(lambda: (over.set(), other.join()))
    module = nn.Sequential(nn.Conv2d(1, 2, 1), start, slow, nn.Conv2d(2, 2, 1), end, nn.ReLU())
    found = list_layers("mine", module, torch.zeros(1, 1, 4, 4))
    assert not failed and {"0", "3", "5"} <= {layer.name for layer in found.all}


def test_a_network_is_copied_while_it_runs(lenet, later):
    over = threading.Event()

    def look():
        x = torch.rand((1, 1, 28, 28))
        while not over.is_set():
            lenet.output(x, "conv2")

    runs = threading.Thread(target=look)
    runs.start()
    try:
        twins = [lenet.twin(later.module.state_dict(), WeightsFile("a", "0")) for _ in range(20)]
    finally:
        over.set()
        runs.join()
    assert not any(part._forward_hooks for twin in twins for part in twin.module.modules())


def test_weights_are_found_as_when_the_network_was_opened(tmp_path, lenet):
    state = {f"module.{k}": v for k, v in LeNet5().state_dict().items()}
    path = tmp_path / "wrapped.pt"
    torch.save({"epoch": 3, "model": state}, path)
    twin = lenet.with_weights(*before_and_after(path))
    assert torch.equal(twin.module.fc3.bias, state["module.fc3.bias"])


def before_and_after(path):
    saved, sha256 = read_saved(path)
    return saved, path, sha256


MINE = """
import torch
def model():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(2 * 6 * 6, 3)
    )
"""


def test_a_part_is_enough_where_a_part_was_to_begin_with(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    name, pixels = f"{tmp_path / 'mine.py'}:model", PixelSpec(1, 8, 8, (0.0,), (1.0,))
    whole = open_network(name, None, Options(pixels, untrained=True)).module.state_dict()
    part = {k: v + 1 for k, v in whole.items() if k.startswith("0.")}
    torch.save(part, tmp_path / "part.pt")
    torch.save(whole, tmp_path / "whole.pt")
    network = open_network(name, tmp_path / "part.pt", Options(pixels, partial=True))
    twin = network.with_weights(*before_and_after(tmp_path / "part.pt"))
    assert twin.reference == network.reference
    assert twin.reference["partial"]
    with pytest.raises(StudioError, match="do not lack the same weights"):
        network.with_weights(*before_and_after(tmp_path / "whole.pt"))
    with pytest.raises(StudioError, match="another architecture"):
        open_network(name, tmp_path / "whole.pt", Options(pixels)).with_weights(
            *before_and_after(tmp_path / "part.pt")
        )


GATED = """
import torch
class Gate(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Parameter(torch.zeros(1))
    def forward(self, x):
        # What happens inside of `vmap` cannot be followed.
        return x + self.gate * torch.vmap(lambda image: torch.fft.fft2(image).real)(x)
def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1), Gate(), torch.nn.Flatten(), torch.nn.Linear(512, 3)
    )
"""


def test_what_units_see_is_measured_again_where_weights_decide(tmp_path):
    (tmp_path / "gated.py").write_text(GATED)
    name, pixels = f"{tmp_path / 'gated.py'}:model", PixelSpec(1, 16, 16, (0.0,), (1.0,))
    network = open_network(name, None, Options(pixels))
    layer = network.layers[1].name
    state = open_session(SessionSpec(network, (Neuron(layer, 0),) * 2, device=Device()))
    assert state.lane.targets.crop is not None
    trained = network.module.state_dict() | {"1.gate": torch.ones(1)}
    twin = network.twin(trained, WeightsFile(tmp_path / "a", "0"))
    first = network.layers[0].name
    network.receptive_field(first)
    assert twin.receptive_field(layer) is None
    assert twin.receptive_field(first) == network.receptive_field(first)
    state, _ = advance(state, [Change("weights", twin)], budget=0)
    assert state.lane.targets.crop is None
    x = state.lane.chains.x
    _, info = advance(state)
    units = twin.units(state.lane.neurons)
    assert torch.allclose(info.lanes[0].activation, twin.activation(x, units), rtol=1e-4, atol=1e-5)


def test_no_step_after_a_swap_looks_at_all_noise_images_at_once(open_one, later, run):
    state, _ = run(open_one(), 5)
    known = state.lane.thresholds.values
    state, _ = advance(state, [Change("weights", later)])
    assert 0 < len(state.lane.thresholds.seen) < 10
    state, _ = run(state, 90)
    assert not state.lane.thresholds.wanted
    assert not torch.equal(state.lane.thresholds.values, known)


def test_the_discriminator_learns_some_rounds_after_each_swap(
    open_one, later, run, untrained_discriminator
):
    state = open_one(discriminator=untrained_discriminator)
    state, infos = run(state, 20, {0: [("discriminator_rounds", 3)], 5: [("weights", later)]})
    assert [info.step for info in infos if info.lesson is not None] == [8, 12, 16]
    assert state.learner.rounds == 3
    # What is under way ends where fewer are wanted, and a later swap begins again.
    swap, fewer = ("weights", later), ("discriminator_rounds", 1)
    state, infos = run(state, 20, {20: [swap], 25: [fewer], 30: [swap]})
    assert [info.step for info in infos if info.lesson is not None] == [24, 28, 32]


def test_without_a_discriminator_none_learns(open_one, later, run):
    state, infos = run(open_one(), 9, {0: [("discriminator_rounds", 2)], 1: [("weights", later)]})
    assert all(info.lesson is None for info in infos)
    assert state.lessons_due == 0
    with pytest.raises(StudioError, match="between 0 and 1,000"):
        apply(state, Change("discriminator_rounds", 1001))


def test_a_picture_tells_which_discriminator_it_saw_and_replays(open_one, later, run, tmp_path):
    discriminator = open_discriminator("lenet-discriminator")
    state = open_one(discriminator=discriminator, discriminator_weight=0.5)
    state, _ = run(state, 20, {2: [("discriminator_rounds", 3)], 6: [("weights", later)]})
    exported = export(state, Shown(), tmp_path / "picture.png")
    seen = read(exported.path)[0].data["discriminator_seen"]
    assert seen["rounds"] == 3
    assert seen["sha256"] not in (discriminator.sha256, fingerprint(discriminator.module))
    found = compare(exported.path)
    assert found.identical
    assert found.differences == ()


def test_a_session_stored_between_two_lessons_goes_on_as_it_would_have(open_one, later, run):
    discriminator = open_discriminator("lenet-discriminator")
    state = open_one(discriminator=discriminator, discriminator_weight=0.5)
    state, _ = run(state, 8, {2: [("discriminator_rounds", 4)], 6: [("weights", later)]})
    again = from_tensors(*to_tensors(state))
    state, _ = run(state, 100)
    again, _ = run(again, 100)
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)
    assert torch.equal(state.lane.thresholds.values, again.lane.thresholds.values)
    assert state.learner.rounds == again.learner.rounds == 4


def test_a_picture_of_a_mean_of_checkpoints_replays(open_one, lenet, run, tmp_path):
    torch.manual_seed(5)
    writer = CheckpointWriter(tmp_path / "run")
    paths = [writer.write(LeNet5(), step=step) for step in (1, 2, 3)]
    network = take(lenet, at_rest(tmp_path / "run").look().checkpoints)
    state, _ = run(open_one(), 12, {6: [("weights", network)]})
    exported = export(state, Shown(), tmp_path / "picture.png")
    value = read(exported.path)[0].data["log"][-1][2]
    assert [tmp_path / part["weights"] for part in value["mean_of"]] == paths
    assert compare(exported.path).identical
    # Moved beside the picture they are found; changed they are not taken.
    for path in paths:
        path.rename(tmp_path / path.name)
    assert compare(exported.path).identical
    writer.write(LeNet5(), step=1)  # in the recorded place; what was used lies beside the picture
    assert compare(exported.path).identical
    (tmp_path / paths[0].name).write_bytes(paths[0].read_bytes())
    with pytest.raises(StudioError, match="have changed since"):
        compare(exported.path)
    paths[0].unlink()
    (tmp_path / paths[0].name).unlink()
    with pytest.raises(StudioError, match=r"00000001\.safetensors of lenet are missing"):
        compare(exported.path)


def test_a_picture_keeps_weights_that_a_training_overwrites(open_one, lenet, run, tmp_path):
    last, numbered = tmp_path / "last.safetensors", tmp_path / "epoch_1.safetensors"

    def saved(path, seed):
        torch.manual_seed(seed)
        CheckpointWriter(tmp_path / "run").write(LeNet5(), step=seed).replace(path)
        return lenet.with_weights(read_saved(path)[0], path, read_saved(path)[1])

    first, second, third = saved(last, 1), saved(numbered, 2), saved(last, 3)
    changes = {2: [("weights", first)], 4: [("weights", second)], 6: [("weights", third)]}
    state, _ = run(open_one(), 8, changes)
    exported = export(state, Shown(), tmp_path / "picture.png")
    assert exported.overwritten == (last,)
    (copy,) = exported.weights
    assert copy == tmp_path / "picture.weights.safetensors"
    assert torch.equal(read_saved(copy)[0]["fc3.bias"], third.module.fc3.bias)
    saved(last, 4)  # the training goes on
    assert compare(exported.path).identical
    # What the session was and what it does next is as before.
    assert state.lane.network is third
    state, _ = run(state, 2)
    again = export(state, Shown(), tmp_path / "again.png")
    saved(last, 5)
    assert compare(again.path).identical
    # Chains that had passed through such weights go on from the stored session.
    state, _ = run(state, 2, {10: [("weights", second)]})
    later = export(state, Shown(), tmp_path / "later.png")
    assert later.weights == ()
    saved(last, 6)
    assert compare(later.path).identical


def test_a_picture_of_a_numbered_checkpoint_names_its_file(open_one, later, run, tmp_path):
    state, _ = run(open_one(), 4, {2: [("weights", later)]})
    exported = export(state, Shown(), tmp_path / "picture.png")
    assert exported.weights == () and exported.sidecar is None
