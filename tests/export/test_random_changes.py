"""Whatever is done to a session, in whatever order: its picture replays, its outline foretells it.

Each seed draws its own sequence of all kinds of changes. In between the session is stored and read,
undone, and runs with steps in progress.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from ldam_studio.engine.advance import ChainsExploded, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.changes.rules import RULES
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.kept_modes import KeptMode
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare
from ldam_studio.export.rerun import rerun
from ldam_studio.export.session_file import read_session, session_bytes
from ldam_studio.export.shown import Shown
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import Plan
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.schedule import STARTS
from ldam_studio.sampler.settings import SETTINGS, Settings

CODE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, padding=1)
        self.last = nn.Conv2d(3, 4, 3, padding=1)
        self.pixels = {"channels": 1, "height": 8, "width": 8, "mean": [0.0], "std": [1.0]}

    def forward(self, x):
        return self.last(torch.tanh(self.conv(x))).mean((2, 3))


def one():
    torch.manual_seed(1)
    return Net()


def two():
    torch.manual_seed(2)
    return Net()
"""

FEW, MORE = range(4), range(4, 40)
ROUNDS = 24
VALUES: dict[str, tuple[Any, ...]] = {
    "temperature": (0.0, 0.05, 0.3),
    "step_size": (0.02, 0.1),
    "l2": (0.2, 1.0),
    "repulsion": (0.0, 2.0, 10.0),
    "smoothness": (0.0, 0.2),
    "natural_l2": (0.0, 0.1),
    "spectrum": (0.0, 1.0),
    "jitter": (0, 1),
    "view_zoom": (1.0, 1.2),
    "views": (1, 2),
    "objective": ("activation", "log-probability"),
    "schedule_shape": ("once", "cycles", "curves"),
    "schedule": (0, 3, 7, 20),
    "schedule_course": ("geometric", "cosine"),
    "cycle_growth": (1.0, 1.5),
    "cycle_sampled": (0.3, 1.0),
    "average_cycles": ("each", "all"),
    "step_size_start": (0.0, 0.3),
    "temperature_start": (0.0, 1.0, 3.0),
    "resolution": (0, 6, 7),
    "resolution_start": (0, 4, 5),
    "coarse_share": (0.3, 0.7),
    "step_size_curve": ("", "0:0.1, 9:0.01"),
    "temperature_curve": ("", "0:1, 6:0.1", "0:0.5, 4:0, 9:0.2"),
    "resolution_curve": ("", "0:5, 6:8"),
    "window": (0, 5),
    "thin": (1, 2),
    "burn_in": ("auto", 0, 3),
    "clamp": (False, True),
    "mode": ("exact", "normalised"),
    "kernel": tuple(KERNELS),
    "friction": (1.0, 5.0),
    "tempering": (0, 2, 3),
    "average_over": ("time", "both"),
    "average_group": (0, 1),
    "threshold": ("auto", 0.5),
    "start_spread": (0.1, 0.3),
}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, Network]:
    """Two networks in a user's own code, which take images of any size."""
    path = tmp_path_factory.mktemp("code") / "net.py"
    path.write_text(CODE)
    return open_network(f"{path}:one"), open_network(f"{path}:two")


def some(random: Random, count: int) -> tuple[int, ...]:
    return tuple(sorted(random.sample(range(count), random.randint(1, count))))


def drawn(random: Random, state: SessionState, networks: tuple[Network, ...]) -> Change:
    """Draw a change that a person could make at this moment, or nearly."""
    count, lanes = len(state.lane.neurons), len(state.lanes)
    lane = random.choice((None, *range(lanes)))
    kept = random.randrange(max(1, len(state.pictures)))
    if random.random() < 0.45:
        name = random.choice(list(VALUES))
        value = random.choice(VALUES[name])
        if SETTINGS[name].per_chain and lanes == 1 and random.random() < 0.2:
            value = tuple(random.choice(VALUES[name]) for _ in range(count))
        return Change(name, value, lane)
    layer = state.lane.network.class_layer.name
    address = [f"{layer}:{random.randrange(2)}" for _ in range(count)]
    pixels = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(random.randrange(5)))
    values: dict[str, Any] = {
        "neurons": random.choice((address, address[:1], ["conv:1"])),
        "network": random.choice(networks),
        "chains": random.randint(2, 6),
        "keep": some(random, count),
        "seed": random.randrange(9),
        "restart": None,
        "run_schedule": random.choice((None, "temperature", "resolution")),
        "leave_schedule": random.choice(tuple(STARTS)),
        "hold_schedule": random.random() < 0.5,
        "picture": KeptPicture(pixels, "noise", "photograph"),
        "start_from": StartFrom(
            kept, random.choice((None, some(random, count))), random.choice((0.0, 0.2))
        ),
        "rest": random.choice((None, kept)),
        "keep_mode": KeptMode(some(random, count)[:1], "mode"),
        "forget_mode": kept,
        "reset_average": random.choice((None, "unfinished")),
        "melt": random.randrange(4),
        "heat": random.choice((1.0, 20.0)),
        "heat_some": Heated(some(random, count), random.choice((1.0, 30.0))),
        "restart_some": some(random, count),
        "hold": some(random, count),
        "release": some(random, count),
        "plan": Plan(layout=random.choice(("contiguous", "channels_last"))),
        "compare": random.choice(
            (None, LaneSpec(random.choice(networks), restart=random.random() < 0.5))
        ),
    }
    name = random.choice(list(values))
    return Change(name, values[name], lane if name in ("neurons", "network") else None)


def make(state: SessionState, change: Change) -> SessionState:
    """Make a change, and check that the session becomes what its outline foretold."""
    before = state.outline
    try:
        expected, refused = before.after(change), ()
    except StudioError as error:
        expected, refused = before, (str(error),)
    log = list(state.log)
    state, info = advance(state, [change], 0)
    if info.refused and not refused:  # a chain without an average makes no mode
        assert change.name == "keep_mode"
        expected = before
    else:
        assert info.refused == refused
    if info.refused:
        assert state.log == log
    assert state.outline == expected
    assert all(len(lane.chains.x) == expected.chains for lane in state.lanes)
    return state


def stepped(state: SessionState, lag: int) -> SessionState:
    try:
        state, _ = advance(state, lag=lag)
    except ChainsExploded as exploded:
        # What a person does then; a chain that is not finite ends no test of replay.
        state, _ = advance(exploded.state, [Change("clamp", True), Change("restart")], 0)
    return state


def same(one: SessionState, other: SessionState) -> None:
    mine, its = (replace(s.outline, lanes=(), device=one.device) for s in (one, other))
    assert (one.step, mine, one.device.plan) == (other.step, its, other.device.plan)
    for a, b in zip(one.lanes, other.lanes, strict=True):
        assert (a.neurons, a.settings, a.clock) == (b.neurons, b.settings, b.clock)
        assert a.network.sha256 == b.network.sha256
        assert torch.equal(a.chains.x, b.chains.x)
        assert all(torch.equal(t, b.chains.memory[n]) for n, t in a.chains.memory.items())
        assert torch.equal(a.average.mean, b.average.mean)
        assert torch.equal(a.average.variance, b.average.variance)
        assert torch.equal(a.average.count, b.average.count)
        assert torch.equal(a.progress.done, b.progress.done)
        assert torch.equal(a.parameters.temperature, b.parameters.temperature)
        assert (a.tempering is None) == (b.tempering is None)
        if a.tempering is not None and b.tempering is not None:
            assert torch.equal(a.tempering.gap, b.tempering.gap)
            assert torch.equal(a.tempering.trips, b.tempering.trips)
    assert [kept.note.sha256 for kept in one.pictures] == [k.sha256 for k in other.pictures]


@pytest.mark.parametrize(
    "seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in MORE)]
)
def test_any_sequence_of_changes_replays(
    seed: int, networks: tuple[Network, Network], tmp_path: Path
):
    random, opener = Random(seed), Nearby(tmp_path, allow_code=True, allow_files=True)
    settings = Settings.of(
        **{name: random.choice(VALUES[name]) for name in random.sample(list(VALUES), 12)}
        | {"temperature": 0.05, "step_size": 0.05}
    )
    first = networks[0]
    neurons = (first.default_neurons(1)[0],) * 4
    state = open_session(SessionSpec(first, neurons, settings, seed=seed))
    moments = [snapshot(state)]
    for _ in range(ROUNDS):
        for _ in range(random.choice((0, 1, 1, 2, 4))):
            state = make(state, drawn(random, state, networks))
        lag = random.choice((0, 0, 3))
        for _ in range(random.choice((0, 1, 2, 5))):
            state = stepped(state, lag)
        try:
            state, _ = advance(state, (), 0)
        except ChainsExploded as exploded:
            state, _ = advance(exploded.state, [Change("restart")], 0)
        turn = random.random()
        if turn < 0.15:
            path = tmp_path / "session.safetensors"
            path.write_bytes(session_bytes(state, history=True))
            again = read_session(path, opener=opener)
            same(state, again)
            state = again
        elif turn < 0.25:
            moments.append(snapshot(state))
        elif turn < 0.35:
            state = snapshot(random.choice(moments))
    state = stepped(state, 0)
    path = export(state, Shown("strip"), tmp_path / "a.png").path
    found = compare(path, opener)
    assert found is not None and found.identical
    again = rerun(read_recipe(path), opener)
    assert again is not None
    same(state, again)


def test_every_kind_of_change_is_drawn(networks: tuple[Network, Network]):
    first, random = networks[0], Random(0)
    state = open_session(SessionSpec(first, first.default_neurons(4), Settings()))
    names = {drawn(random, state, networks).name for _ in range(3000)}
    elsewhere = {"weights", "statistics", "precision", "discriminator", "revert_discriminator"}
    elsewhere |= {"learn_every", "discriminator_rounds"}
    assert names >= RULES.keys() - elsewhere
