"""Kept modes: the mean of some averages, kept by a change, and chains that are pushed away."""

import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.kept_modes import KeptMode, modes_of, origin_of, repelling_of
from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.setting_notes import NO_MODES, setting_notes
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.settings import Settings

FOUR = Neuron("fc3", 4)


@pytest.fixture
def fours(lenet, run):
    """Three chains of one neuron, with averages."""
    settings = Settings.of(burn_in=5)
    state, _ = run(open_session(SessionSpec(lenet, (FOUR,) * 3, settings, seed=2)), 20)
    return state


def test_the_mean_of_some_averages_is_kept_for_their_neuron(fours):
    expected = fours.lane.average.mean[[0, 2]].mean(0)
    state, info = advance(fours, [Change("keep_mode", KeptMode((0, 2), "mode 1"))], 0)
    assert info.told == ("kept mode 1",)
    (kept,) = state.pictures
    assert torch.equal(kept.pixels, expected)
    assert (kept.title, kept.origin) == ("mode 1", origin_of(FOUR))
    assert modes_of(state.outline.pictures, FOUR) == (0,)
    assert state.log[-1].value == {"chains": (0, 2), "title": "mode 1"}


def test_a_chain_without_an_average_cannot_be_kept(open_one):
    state, info = advance(open_one(), [Change("keep_mode", KeptMode((0,), "mode 1"))], 0)
    assert info.refused == (
        "A mode cannot be kept before each of its chains has an average; run them on, then keep "
        "it.",
    )
    assert state.pictures == () and state.outline.pictures == ()


def test_a_mode_that_is_forgotten_is_an_ordinary_picture(fours):
    before = snapshot(fours)
    state, _ = advance(fours, [Change("keep_mode", KeptMode((0,), "mode 1"))], 0)
    state, info = advance(state, [Change("forget_mode", 0)], 0)
    assert info.told == ("forgot mode 1",)
    assert modes_of(state.pictures, FOUR) == () and len(state.pictures) == 1
    _, info = advance(state, [Change("forget_mode", 0)], 0)
    assert info.refused
    assert before.pictures == ()


def test_a_stored_session_is_pushed_away_likewise(fours, run):
    changes = [Change("keep_mode", KeptMode((0, 1), "mode 1")), Change("repulsion", 5.0)]
    state, _ = advance(fours, changes)
    again = from_tensors(*to_tensors(state))
    one, two = run(state, 4)[0], run(again, 4)[0]
    assert torch.equal(one.lane.chains.x, two.lane.chains.x)


def test_without_kept_modes_repulsion_changes_no_pixel_and_a_note_says_so(fours, run):
    other, _ = advance(snapshot(fours), [Change("repulsion", 50.0)], 0)
    assert setting_notes(other.lane, other.pictures)["repulsion"] == NO_MODES
    other, _ = advance(other, [Change("repulsion", 0.0)], 0)
    on, _ = advance(snapshot(other), [Change("repulsion", 50.0)], 0)
    assert repelling_of(on, on.lane) is None
    one, two = run(other, 3)[0], run(on, 3)[0]
    assert torch.equal(one.lane.chains.x, two.lane.chains.x)
    # Neither do modes of another neuron, nor pictures that are no modes.
    for origin in (origin_of(Neuron("fc3", 5)), "photograph"):
        kept = KeptPicture(torch.rand(1, 28, 28), "picture", origin)
        other, _ = advance(snapshot(two), [Change("picture", kept)], 0)
        assert repelling_of(other, other.lane) is None
    kept = KeptPicture(torch.rand(1, 28, 28), "picture", origin_of(FOUR))
    other, _ = advance(other, [Change("picture", kept)], 0)
    assert repelling_of(other, other.lane) is not None
    frame = make_frame(
        other,
        FrameRequest(),
        number=1,
        infos=(),
        notices=(),
        steps_per_second=1.0,
        lesson=None,
        commands_seen=0,
    )
    assert "repulsion" not in frame.lanes[0].notes


class Hills(nn.Module):
    """One unit with two hills, far apart in image space."""

    def __init__(self) -> None:
        super().__init__()
        tops = torch.zeros(2, 1, 6, 6)
        tops[0, :, :3], tops[1, :, 3:] = 1.0, 1.0
        self.tops = nn.Parameter(tops)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        distances = (x[:, None] - self.tops).square().flatten(2).sum(2)
        return torch.stack([torch.logsumexp(-4 * distances, 1), distances[:, 0]], 1)


@pytest.mark.parametrize(
    ("kernel", "step_size"), [("langevin", 0.005), ("mala", 0.001), ("underdamped", 0.005)]
)
def test_chains_that_are_pushed_away_find_the_other_mode(kernel, step_size, run):
    """Both hills are as high: once the first is kept, all chains end on the second."""
    network = Network("hills", Hills(), PixelSpec(1, 6, 6, mean=(0.0,), std=(1.0,), rest=0.0))
    settings = Settings.of(
        mode="exact", kernel=kernel, step_size=step_size, temperature=0.02, l2=0.0, burn_in=100
    )
    hills = Neuron("output", 0)
    top = KeptPicture(network.module.tops[0].detach(), "top", origin_of(hills))
    ends = []
    for weight in (0.0, 20.0):
        state = open_session(SessionSpec(network, (hills,) * 8, settings, seed=1))
        state, _ = advance(state, [Change("picture", top), Change("repulsion", weight)], 0)
        state, _ = run(state, 250)
        mean = state.lane.average.mean[:, 0]
        ends.append((mean[:, :3].mean((1, 2)) > mean[:, 3:].mean((1, 2))).sum().item())
    assert ends == [2, 0]


def test_modes_of_another_network_s_neuron_of_the_same_address_do_not_push(fours, run):
    module = nn.Sequential()
    module.add_module("fc3", nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 6, 10)))
    coloured = Network("coloured", module, PixelSpec(3, 6, 6, (0.0,) * 3, (1.0,) * 3))
    first = fours.lane.network
    state, _ = advance(fours, [Change("keep_mode", KeptMode((0,), "grey"))])
    state, _ = advance(state, [Change("network", coloured), Change("repulsion", 5.0)])
    assert state.lane.neurons[0] == FOUR and repelling_of(state, state.lane) is None
    state, _ = run(state, 12)
    state, info = advance(state, [Change("keep_mode", KeptMode((0,), "coloured"))])
    assert not info.refused and repelling_of(state, state.lane).directions.shape == (1, 3, 6, 6)
    state, _ = advance(state, [Change("network", first)])
    assert state.lane.neurons[0] == FOUR
    assert repelling_of(state, state.lane).directions.shape == (1, 1, 28, 28)
