"""The plan with which a session starts, and how it is compared with plain float32."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from ldam_studio.engine import session, tuning
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.description import describe
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session, spec_from
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import BFLOAT16, CHANNELS_LAST, PLAIN, Plan
from ldam_studio.networks.sources.opening import open_network

HALF = Plan(BFLOAT16, layout=CHANNELS_LAST)
PIXELS = PixelSpec(3, 32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)


def colourful(make: Callable[[], nn.Module]) -> Network:
    """A network of images in colour; what makes its module is called with torch seeded."""
    torch.manual_seed(0)
    return Network("mine", make(), PIXELS)


class Fork(nn.Module):
    """One layer that bfloat16 suits, one that it does not, and one that is silent at first."""

    def __init__(self) -> None:
        super().__init__()
        self.plain, self.silent = nn.Linear(3 * 32 * 32, 4), nn.ReLU()
        self.delicate = nn.Identity()
        self.threshold = 1e6

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.plain(x.flatten(1))
        # Each unit gets another one's weights: a gradient that points elsewhere, for sure.
        x = x if x.dtype == torch.float32 else x.roll(1, 1)
        self.silent(x - self.threshold)
        return self.delicate(x)


def half(device: Device | None = None) -> Device:
    """A device whose plan was measured to be in bfloat16."""
    return replace((device or Device()).with_plan(HALF), tried=True)


def on_plain(device: Device | None = None, network: Network | None = None, layer: str = "plain"):
    network = network or colourful(Fork)
    spec = SessionSpec(network, network.spread(layer, 2), device=device or half())
    return open_session(spec)


def test_a_session_starts_with_plain_float32_and_one_thread_at_once(monkeypatch):
    monkeypatch.setattr(tuning, "evaluate", lambda *_: pytest.fail("measured"))
    state = on_plain(choose("cpu", threads=0))
    assert state.device.plan == PLAIN and state.device.tried and state.device.asked == ()
    for device in (Device(), choose("cpu", "float32"), Device("cpu", "float32", 3)):
        assert on_plain(device).device == device and not device.tried


def test_what_was_asked_for_is_kept_from_the_start():
    state = on_plain(choose("cpu", "bfloat16", 0))
    assert state.device.plan == replace(PLAIN, precision="bfloat16")
    assert state.device.asked == ("precision",) and state.device.tried
    state, info = advance(state)
    assert state.lane.chains.x.dtype == info.lanes[0].activation.dtype == torch.float32
    assert on_plain(choose("cpu", "auto", 2)).device.asked == ("threads",)


def test_a_plan_is_given_up_where_chains_turn_to_what_it_does_not_suit():
    state = on_plain()
    state, info = advance(state, [Change("neurons", ["plain:2"])])
    assert state.device.plan == HALF and info.told == ("plain:2",)
    state, info = advance(state, [Change("neurons", ["delicate:0"])])
    assert state.device.plan == PLAIN
    assert info.told[1] == (
        "float32, as bfloat16, channels last would change the gradient in delicate"
    )
    state, info = advance(state, [Change("neurons", ["plain:0"])])
    assert state.device.plan == PLAIN and len(info.told) == 1
    assert [e.name for e in state.log] == ["neurons", "neurons", "plan", "neurons"]


def test_a_plan_that_was_asked_for_or_recorded_is_kept_wherever_chains_turn():
    for device in (Device("cpu", "bfloat16"), Device().with_plan(HALF)):
        state, info = advance(on_plain(device), [Change("neurons", ["delicate:0"])])
        assert state.device.plan == device.plan and len(info.told) == 1


def test_a_session_that_goes_on_still_measures_what_it_chose_by_itself(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    description = describe(on_plain().outline)
    again = spec_from(description, choose("cpu", threads=0)).device
    assert again == half()
    assert not spec_from(description, choose("cpu", "bfloat16")).device.tried
    recorded = spec_from(description).device
    assert recorded.plan == HALF and not recorded.tried


def test_a_chain_without_a_gradient_does_not_decide():
    class HalfSilent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3 * 32 * 32, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.head(x.flatten(1)) + torch.tensor([1e3, -1e3, 1e3, 1e3])).relu()

    lane = on_plain(Device(), colourful(HalfSilent), "head").lane
    assert tuning.compare(half(), lane) is tuning.Verdict.KEPT
    silent = on_plain(Device(), layer="silent").lane
    assert tuning.compare(half(), silent) is tuning.Verdict.OPEN


def test_a_layer_without_a_gradient_keeps_the_plan_and_is_compared_later():
    state = on_plain()
    state, info = advance(state, [Change("neurons", ["silent:0"])])
    assert state.device.plan == HALF and info.told == ("silent:0",)
    assert {layer for *_, layer in state.checked_layers} == {"plain"}
    network = state.lane.network
    network.module.threshold = network.prepare_for(HALF, "silent").threshold = -1e6
    state, info = advance(state, [Change("neurons", ["silent:1"])])
    assert state.device.plan == PLAIN
    assert info.told[1].endswith("would change the gradient in silent")


class InBfloat16(nn.Module):
    """Does `what` to its first layer's answer in bfloat16, before its second layer."""

    def __init__(self, what: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.plain, self.second = nn.Linear(3 * 32 * 32, 4), nn.Identity()
        self.what = what

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.plain(x.flatten(1))
        if x.dtype == torch.bfloat16:
            x = self.what(x)
        return self.second(x)


FIRST = torch.tensor([0])  # chain: the other one stays as it is


def fails(error: type[Exception]) -> Callable[..., torch.Tensor]:
    def fail(*_: object) -> torch.Tensor:
        raise error

    return fail


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda x: x.index_fill(0, FIRST, 0.0), "would change the gradient"),
        (lambda x: x.index_fill(0, FIRST, torch.nan), "would change the gradient"),
        (lambda x: 1.3 * x, "would change the gradient"),
        (lambda x: x + 1e4, "would change the gradient"),
        (fails(TypeError), "mine fails"),
        (fails(RuntimeError), "mine fails"),
        (fails(MemoryError), "mine fails"),
    ],
)
def test_what_fails_or_ends_in_bfloat16_goes_on_in_float32(what, why):
    state = on_plain(network=colourful(lambda: InBfloat16(what)))
    assert state.device.plan == HALF
    state, info = advance(state, [Change("neurons", ["second:0"])])
    assert state.device.plan == PLAIN
    assert why in info.told[1] and info.told[1].endswith("in second") and not info.refused
    assert [e.name for e in state.log] == ["neurons", "plan"]


@pytest.mark.parametrize("error", [TypeError, MemoryError])
def test_what_fails_in_float32_too_is_left_to_the_first_step(error):
    state = on_plain()
    state.lane.network.module.forward = fails(error)
    assert tuning.try_again(replace(state, checked_layers=frozenset())) == ""


class Jagged(nn.Module):
    """Its gradient jumps wherever a pixel passes one of many thresholds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2000.0))
        self.head = nn.Linear(3 * 32 * 32, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wave = (x.float() * self.scale.float()).sin() / self.scale.float()
        return self.head((x + 0.2 * wave.to(x.dtype)).flatten(1))


def test_a_plan_may_change_a_gradient_no_more_than_a_small_disturbance_does():
    lane = on_plain(Device(), colourful(Jagged), "head").lane
    plain = tuning.evaluate(lane, Device())
    own = tuning.gradient_cosine(plain[1], tuning.evaluate(tuning.disturbed(lane), Device())[1])
    reference = tuning.Reference.of(plain, tuning.evaluate(tuning.disturbed(lane), Device()))
    assert own.max() < tuning.LEAST_COSINE
    assert torch.equal(reference.needed, own.clamp(min=tuning.LOWEST_COSINE))
    found = tuning.evaluate(lane, Device().with_plan(HALF))
    cosine = tuning.gradient_cosine(plain[1], found[1])
    kept = reference.verdict(found) is tuning.Verdict.KEPT
    assert kept == bool((cosine >= reference.needed).all())
    smooth = on_plain(Device()).lane
    plain = tuning.evaluate(smooth, Device())
    needed = tuning.Reference.of(plain, tuning.evaluate(tuning.disturbed(smooth), Device())).needed
    assert (needed == tuning.LEAST_COSINE).all()


def test_a_gradient_is_compared_by_its_direction_however_short_it_is():
    whole = torch.tensor([[1e-30, 0.0], [1e30, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    half = torch.tensor([[1e-30, 0.0], [1e30, 0.0], [1.0, 0.0], [0.0, 0.0], [torch.nan, 0.0]])
    found = tuning.gradient_cosine(whole, half)
    assert torch.equal(found.nan_to_num(-1), torch.tensor([1.0, 1.0, -1.0, 0.0, 0.0]))


def test_a_restored_session_goes_on_with_its_plan_and_knows_what_was_compared(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    state = on_plain(network=network)
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.KEPT)
    second = LaneSpec(network, neurons=network.spread("delicate", 2))
    state, info = advance(state, [Change("compare", second)])
    assert not info.refused and state.device.plan == HALF
    stored = to_tensors(state)
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.CHANGED)
    again = from_tensors(*stored, choose("cpu"))
    assert again.device.tried and again.device.plan == HALF
    assert again.checked_layers == state.checked_layers and len(state.checked_layers) == 2
    again, info = advance(again, [Change("neurons", ["plain:1"])])
    assert again.device.plan == HALF
    again, info = advance(again, [Change("neurons", ["silent:1"])])
    assert again.device.plan == PLAIN and again.log[-1].name == "plan"


def test_a_session_of_0_1_0_goes_on_as_it_was(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    tensors, about = to_tensors(on_plain(replace(Device("cpu", "bfloat16"), tried=True)))
    for name in ("layout", "first_layers", "folded", "asked"):
        del about["session"]["machine"][name]
    about["bfloat16_layers"] = about.pop("checked_layers")
    again = from_tensors(tensors, about, choose("cpu"))
    assert again.device.tried and again.device.plan == replace(PLAIN, precision="bfloat16")
    assert {layer for *_, layer in again.checked_layers} == {"plain"}
    del about["bfloat16_layers"]
    again = from_tensors(tensors, about, choose("cpu"))
    again, _ = advance(again, [Change("neurons", ["plain:1"])])
    assert {layer for *_, layer in again.checked_layers} == {"plain"}


def test_what_a_plan_change_may_be():
    state = on_plain()
    state, info = advance(state, [Change("plan", PLAIN)], 0)
    assert state.device.plan == PLAIN and info.told == ("float32, 1 thread",)
    wrong = (
        "bfloat16",
        Plan("auto"),
        Plan(threads=0),
        Plan(layout="auto"),
        Plan(layout="spiral"),
        Plan(first_layers="mine"),
    )
    for value in wrong:
        _, info = advance(state, [Change("plan", value)], 0)
        assert len(info.refused) == 1 and state.device.plan == PLAIN
    _, info = advance(state, [Change("precision", "bfloat16")], 0)
    assert "can only change to float32" in info.refused[0]


def test_threads_of_a_plan_are_set():
    device, lenet = Device("cpu", threads=2), open_network("lenet")
    state = open_session(SessionSpec(lenet, lenet.default_neurons(2), device=device))
    assert torch.get_num_threads() == 2
    advance(state, [Change("plan", PLAIN)], 0)
    assert torch.get_num_threads() == 1
