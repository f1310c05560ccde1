"""What a session finds out about the machine before its first step."""

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
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture(autouse=True)
def one_thread():
    yield
    torch.set_num_threads(1)


def spec(network: Network, device: Device) -> SessionSpec:
    return SessionSpec(network, network.default_neurons(2), device=device)


def plain_colourful() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 30 * 30, 4))


def colourful(make: Callable[[], nn.Module] = plain_colourful) -> Network:
    """A network of images in colour; what makes its module is called with torch seeded."""
    torch.manual_seed(0)
    module = make()
    return Network("mine", module, PixelSpec(3, 32, 32, mean=(0.5,) * 3, std=(0.25,) * 3))


class TakesItsTime:
    """Stands in for the clock: with n threads the chains take what `seconds` says."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = {int(name[1:]): value for name, value in seconds.items()}
        self.tried: list[int] = []

    def __call__(self, _device: Device, _lane: object, threads: int) -> float:
        self.tried.append(threads)
        return self.seconds[threads]


@pytest.mark.parametrize(
    ("cores", "seconds", "chosen"),
    [
        (8, {"n1": 0.4, "n2": 0.2, "n4": 0.1, "n7": 0.05}, 7),
        (8, {"n1": 0.4, "n2": 0.2, "n4": 0.19}, 2),
        (8, {"n1": 0.4, "n2": 0.39}, 1),
        (8, {"n1": 0.005}, 1),
        (4, {"n1": 0.4, "n2": 0.2, "n3": 0.15}, 3),
        (2, {}, 1),
        (1, {}, 1),
    ],
)
def test_threads_are_as_many_as_pay_and_leave_the_window_a_core(
    monkeypatch, cores, seconds, chosen
):
    monkeypatch.setattr(tuning, "_cores", lambda: cores)
    monkeypatch.setattr(tuning, "_seconds", TakesItsTime(**seconds))
    state = open_session(spec(open_network("lenet"), choose("cpu", threads=0)))
    assert state.device.threads == chosen
    assert torch.get_num_threads() == chosen


def test_a_real_trial_ends_with_a_number_of_threads(monkeypatch):
    monkeypatch.setattr(tuning, "_cores", lambda: 3)
    monkeypatch.setattr(tuning, "WORTH_SHARING", 0.0)
    state = open_session(spec(open_network("lenet"), choose("cpu", threads=0)))
    assert state.device.threads in (1, 2)
    assert torch.get_num_threads() == state.device.threads


@pytest.fixture(autouse=True)
def fast_in_bfloat16(monkeypatch):
    """Whether bfloat16 saves time is this machine's business, and no test's but the one of it."""
    monkeypatch.setattr(tuning, "saves_time", lambda *_: True)


@pytest.mark.parametrize(("seconds", "precision"), [(0.5, "bfloat16"), (0.95, "float32")])
def test_bfloat16_is_taken_only_where_it_saves_time(monkeypatch, seconds, precision):
    monkeypatch.undo()
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    monkeypatch.setattr(
        tuning, "_seconds", lambda m, *_: {"float32": 1.0, "bfloat16": seconds}[m.precision]
    )
    assert open_session(spec(colourful(), choose("cpu"))).device.precision == precision


def test_bfloat16_is_taken_where_the_processor_has_it_and_the_gradient_stays(monkeypatch):
    device = choose("cpu")
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    assert open_session(spec(colourful(), device)).device.precision == "bfloat16"
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: False)
    assert open_session(spec(colourful(), device)).device.precision == "float32"


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


def test_bfloat16_is_not_taken_where_the_gradient_would_be_another(monkeypatch):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    assert open_session(spec(colourful(Fork), choose("cpu"))).device.precision == "float32"


def on_plain(monkeypatch, device=None, layer="plain"):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    network = colourful(Fork)
    device = device or choose("cpu")
    return open_session(SessionSpec(network, network.spread(layer, 2), device=device))


def test_bfloat16_is_given_up_where_chains_turn_to_what_it_does_not_suit(monkeypatch):
    state = on_plain(monkeypatch)
    assert state.device.precision == "bfloat16"
    state, info = advance(state, [Change("neurons", ["plain:2"])])
    assert state.device.precision == "bfloat16" and info.told == ("plain:2",)
    state, info = advance(state, [Change("neurons", ["delicate:0"])])
    assert state.device.precision == "float32"
    assert info.told[1] == "float32, as bfloat16 would change the gradient in delicate"
    state, info = advance(state, [Change("neurons", ["plain:0"])])
    assert state.device.precision == "float32" and len(info.told) == 1
    assert [e.name for e in state.log] == ["neurons", "neurons", "precision", "neurons"]


def test_the_same_changes_give_the_same_chains_where_the_log_tells_the_precision(monkeypatch):
    state = on_plain(monkeypatch)
    for layer in ("plain", "delicate", "plain"):
        state, _ = advance(state, [Change("neurons", [f"{layer}:1"])])
    recorded = choose("cpu", state.origin["machine"]["precision"])
    again = on_plain(monkeypatch, recorded)
    assert again.device.precision == "bfloat16"
    while again.step < state.step:
        due = [Change(e.name, e.value) for e in state.log if e.step == again.step]
        again, _ = advance(again, due)
    assert torch.equal(again.lane.chains.x, state.lane.chains.x)


def test_what_was_asked_for_or_recorded_is_kept_wherever_chains_turn(monkeypatch):
    state = on_plain(monkeypatch, choose("cpu", "bfloat16"))
    state, info = advance(state, [Change("neurons", ["delicate:0"])])
    assert state.device.precision == "bfloat16" and len(info.told) == 1


def test_a_session_that_goes_on_still_tries_what_it_chose_by_itself(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    description = describe(on_plain(monkeypatch).outline)
    assert spec_from(description, choose("cpu")).device.tried
    assert not spec_from(description, choose("cpu", "bfloat16")).device.tried
    assert not spec_from(description).device.tried


def test_a_chain_without_a_gradient_does_not_decide(monkeypatch):
    class HalfSilent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3 * 32 * 32, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (self.head(x.flatten(1)) + torch.tensor([1e3, -1e3, 1e3, 1e3])).relu()

    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    assert open_session(spec(colourful(HalfSilent), choose("cpu"))).device.precision == "bfloat16"
    assert on_plain(monkeypatch, layer="silent").device.precision == "float32"


def test_a_session_goes_on_in_float32_and_in_nothing_else(monkeypatch):
    _, info = advance(on_plain(monkeypatch), [Change("precision", "bfloat16")], 0)
    assert "can only change to float32" in info.refused[0]


def test_small_images_stay_in_float32(monkeypatch):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    state = open_session(spec(open_network("lenet"), choose("cpu")))
    assert state.device.precision == "float32"


def test_what_was_asked_for_is_not_tried(monkeypatch):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    state = open_session(spec(colourful(), choose("cpu", "float32", 2)))
    assert (state.device.precision, state.device.threads) == ("float32", 2)
    state, info = advance(open_session(spec(colourful(), choose("cpu", "bfloat16"))))
    assert state.lane.chains.x.dtype == torch.float32
    assert info.lanes[0].activation.dtype == torch.float32


def test_what_goes_on_keeps_what_was_found(monkeypatch):
    state = open_session(spec(open_network("lenet"), Device("cpu", "float32", 3)))
    monkeypatch.setattr(tuning, "_seconds", lambda *_: pytest.fail("tried again"))
    assert spec_from(describe(state.outline)).device == state.device
    again = spec_from(describe(state.outline), choose("cpu", threads=0))
    assert again.device == state.device
    other = spec_from(describe(state.outline), replace(state.device, threads=2))
    assert other.device.threads == 2


def test_a_layer_without_a_gradient_keeps_the_precision_and_is_tried_later(monkeypatch):
    state = on_plain(monkeypatch)
    state, info = advance(state, [Change("neurons", ["silent:0"])])
    assert state.device.precision == "bfloat16" and info.told == ("silent:0",)
    assert {layer for *_, layer in state.bfloat16_layers} == {"plain"}
    state.lane.network.module.threshold = -1e6
    state, info = advance(state, [Change("neurons", ["silent:1"])])
    assert state.device.precision == "float32"
    assert info.told[1] == "float32, as bfloat16 would change the gradient in silent"


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
        (lambda x: x.index_fill(0, FIRST, 0.0), "bfloat16 would change the gradient in second"),
        (
            lambda x: x.index_fill(0, FIRST, torch.nan),
            "bfloat16 would change the gradient in second",
        ),
        (fails(TypeError), "mine fails in bfloat16 in second"),
        (fails(RuntimeError), "mine fails in bfloat16 in second"),
        (fails(MemoryError), "mine fails in bfloat16 in second"),
    ],
)
def test_what_fails_or_ends_in_bfloat16_goes_on_in_float32(monkeypatch, what, why):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    network = colourful(lambda: InBfloat16(what))
    assert open_session(spec(network, choose("cpu"))).device.precision == "float32"
    state = open_session(SessionSpec(network, network.spread("plain", 2), device=choose("cpu")))
    assert state.device.precision == "bfloat16"
    state, info = advance(state, [Change("neurons", ["second:0"])])
    assert state.device.precision == "float32"
    assert info.told[1] == f"float32, as {why}" and not info.refused
    assert [e.name for e in state.log] == ["neurons", "precision"]


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
@pytest.mark.parametrize("error", [TypeError, MemoryError])
def test_what_fails_in_float32_too_is_left_to_the_first_step(monkeypatch, precision, error):
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    monkeypatch.setattr(tuning, "_cores", lambda: 3)
    state = on_plain(monkeypatch)
    state.lane.network.module.forward = fails(error)
    assert tuning.try_again(replace(state, bfloat16_layers=frozenset())) == ""
    settled = tuning.settle(Device("cpu", precision, 0), state.lane)
    assert settled.threads == 1
    assert settled.precision == ("float32" if precision == "auto" else "bfloat16")


def test_a_gradient_is_compared_by_its_direction_however_short_it_is():
    whole = torch.tensor([[1e-30, 0.0], [1e30, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    half = torch.tensor([[1e-30, 0.0], [1e30, 0.0], [1.0, 0.0], [0.0, 0.0], [torch.nan, 0.0]])
    found = tuning.gradient_cosine(whole, half)
    assert torch.equal(found.nan_to_num(-1), torch.tensor([1.0, 1.0, -1.0, 0.0, 0.0]))


def test_a_restored_session_goes_on_in_its_precision_and_knows_what_was_tried(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    state = on_plain(monkeypatch)
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.KEPT)
    second = LaneSpec(network, neurons=network.spread("delicate", 2))
    state, info = advance(state, [Change("compare", second)])
    assert not info.refused and state.device.precision == "bfloat16"
    stored = to_tensors(state)
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.CHANGED)
    again = from_tensors(*stored, choose("cpu"))
    assert again.device.tried and again.device.precision == "bfloat16"
    assert again.bfloat16_layers == state.bfloat16_layers and len(state.bfloat16_layers) == 2
    again, info = advance(again, [Change("neurons", ["plain:1"])])
    assert again.device.precision == "bfloat16"
    again, info = advance(again, [Change("neurons", ["silent:1"])])
    assert again.device.precision == "float32" and again.log[-1].name == "precision"


def test_a_session_of_before_what_was_tried_was_stored_tries_at_the_next_change(monkeypatch):
    network = colourful(Fork)
    monkeypatch.setattr(session.Opener, "network", lambda *_: network)
    tensors, about = to_tensors(on_plain(monkeypatch))
    del about["bfloat16_layers"]
    again = from_tensors(tensors, about, choose("cpu"))
    assert again.device.tried and not again.bfloat16_layers
    again, _ = advance(again, [Change("neurons", ["plain:1"])])
    assert {layer for *_, layer in again.bfloat16_layers} == {"plain"}


def test_code_that_takes_no_fewer_chains_is_left_in_float32(monkeypatch):
    class Five(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(3 * 32 * 32, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if len(x) == tuning.FEW:
                raise ValueError("not four")
            return self.head(x.flatten(1))

    monkeypatch.undo()
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda _device: True)
    network = colourful(Five)
    state = open_session(SessionSpec(network, network.default_neurons(5), device=choose("cpu")))
    assert state.device.precision == "float32"
