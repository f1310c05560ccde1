"""Finding the fastest plan: candidates, trials, what was found before, and the switch."""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import asdict, replace

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.engine import tuning
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute import memory_needed
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.compute.memory_needed import copy_bytes, step_bytes
from ldam_studio.engine.plans import cache, candidates, search
from ldam_studio.engine.plans import finder as finders
from ldam_studio.engine.plans.finder import PlanFinder, find_plan
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import (
    BFLOAT16,
    CHANNELS_LAST,
    CONTIGUOUS,
    FLOAT32,
    FORMER,
    ONEDNN,
    PLAIN,
    TORCH,
    Plan,
)
from ldam_studio.networks.sources.opening import open_network

PIXELS = PixelSpec(3, 32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)
HALF = Plan(BFLOAT16, layout=CHANNELS_LAST, first_layers=ONEDNN)
WHOLE = Plan(layout=CONTIGUOUS, first_layers=TORCH)


class Small(nn.Module):
    """Convolutions with a norm that can be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.last = nn.Linear(8 * 30 * 30, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.first(x)).tanh().flatten(1))


class NotInHalf(Small):
    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu"):
            raise TypeError("not in bfloat16")
        return super().forward(x)


class OnlyAutocast(Small):
    """Has a tensor that nobody converts, so that only autocast can run it in bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.full((8, 8, 3, 3), 0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv2d(self.first(x), self.weights, padding=1)
        return self.last(x.tanh().flatten(1))


def network(make: type[nn.Module] = Small) -> Network:
    torch.manual_seed(0)
    return Network("mine", make(), PIXELS)


def opened(mine: Network, device: Device | None = None, chains: int = 3, layer: str = "last"):
    neurons = mine.spread(layer, chains)
    return open_session(SessionSpec(mine, neurons, device=device or choose("cpu", "auto", 1)))


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """A processor with bfloat16 and two cores, on which nothing was found before."""
    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(candidates, "computes_in_bfloat16", lambda _device: True)
    monkeypatch.setattr(cache, "cores", lambda: 2)
    monkeypatch.setattr(search, "cores", lambda: 2)
    monkeypatch.setattr(finders, "AGAIN", (2, 4))
    yield
    torch.set_num_threads(1)


class Times:
    """Stands in for the clock: seconds by precision and layout, and by threads."""

    def __init__(self, seconds: dict[object, float], otherwise: float = 0.1) -> None:
        self.seconds, self.otherwise = seconds, otherwise
        self.tried: list[Plan] = []

    def __call__(self, lane, device, _clock):
        plan = device.plan
        self.tried.append(plan)
        keys = (plan.folded and plan, (plan.precision, plan.layout), plan.threads)
        return next((self.seconds[k] for k in keys if k in self.seconds), self.otherwise), (
            tuning.evaluate(lane, device)
        )


@pytest.fixture
def times(monkeypatch):
    def make(seconds=(), otherwise=0.1):
        clock = Times(dict(seconds), otherwise)
        monkeypatch.setattr(search, "timed", clock)
        return clock

    return make


def found(mine: Network, device: Device | None = None, **keywords) -> Plan:
    return find_plan(opened(mine, device, **keywords)).device.plan


def test_the_fastest_plan_is_chosen(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF
    times({(FLOAT32, CONTIGUOUS): 0.05})
    assert found(network(NotInHalf)).layout == CONTIGUOUS


def test_what_is_only_tried_warns_of_nothing(times):
    class Warns(Small):
        def forward(self, x: Tensor) -> Tensor:
            if self.first(x).dtype != torch.float32:
                tried.append(True)
                warnings.warn("Mismatch dtype between input and weight", stacklevel=1)
            return super().forward(x)

    tried: list[bool] = []
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    state = opened(network(Warns))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        find_plan(state)
    assert tried and not heard


def test_nothing_changes_where_nothing_is_clearly_faster(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.097})
    state = find_plan(opened(network()))
    assert state.device.plan == PLAIN and not state.log


def test_norms_are_folded_only_where_that_is_faster(times):
    unfolded = replace(HALF, folded=False)
    clock = times({HALF: 0.05, (BFLOAT16, CHANNELS_LAST): 0.04})
    assert found(network()) == unfolded and clock.tried.count(unfolded) == 3


def test_a_plan_without_hope_is_tried_once_and_others_are_spared(times):
    clock = times({(BFLOAT16, CHANNELS_LAST): 0.05, (BFLOAT16, CONTIGUOUS): 0.09})
    assert found(network()) == HALF
    assert clock.tried.count(replace(HALF, layout=CONTIGUOUS)) == 1
    assert {p.layout for p in clock.tried if p.precision == FLOAT32} == {FORMER}


def test_a_processor_without_bfloat16_is_spared_it(times, monkeypatch):
    monkeypatch.setattr(candidates, "computes_in_bfloat16", lambda _device: False)
    clock = times({(BFLOAT16, CHANNELS_LAST): 0.01, (FLOAT32, CHANNELS_LAST): 0.05})
    assert found(network()).precision == FLOAT32
    assert {p.precision for p in clock.tried} == {FLOAT32}


def test_a_precision_that_was_asked_for_is_kept(times):
    clock = times({(BFLOAT16, CHANNELS_LAST): 0.01, WHOLE: 0.05})
    asked = Device(precision=FLOAT32, layout="auto")
    assert found(network(), asked) == WHOLE
    assert {p.precision for p in clock.tried} == {FLOAT32}
    times({(BFLOAT16, CHANNELS_LAST): 0.05, WHOLE: 0.01})
    assert found(network(), Device(precision=BFLOAT16, layout="auto")) == HALF


def test_what_fails_in_bfloat16_runs_in_float32_and_nobody_hears_of_it(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.01, (BFLOAT16, CONTIGUOUS): 0.01, WHOLE: 0.05})
    state = find_plan(opened(network(NotInHalf)))
    assert state.device.plan == WHOLE
    advance(state)


def test_what_cannot_be_prepared_is_left_to_autocast(times):
    times({(BFLOAT16, FORMER): 0.05})
    assert found(network(OnlyAutocast)) == Plan(BFLOAT16)


def test_a_plan_that_changes_the_gradient_is_not_used(times):
    class Turned(Small):
        def forward(self, x: Tensor) -> Tensor:
            x = x if x.dtype == torch.float32 else x.flip(3)
            return super().forward(x)

    times({(BFLOAT16, CHANNELS_LAST): 0.01, (BFLOAT16, CONTIGUOUS): 0.01})
    assert found(network(Turned)).precision == FLOAT32


def test_a_plan_must_suit_the_networks_beside(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    other = network(NotInHalf)
    state = opened(network())
    state, info = advance(state, [Change("compare", LaneSpec(other))], 0)
    assert not info.refused
    assert find_plan(state).device.plan == PLAIN


def test_the_time_of_a_search_is_limited(times):
    clock = times({}, otherwise=0.3)
    assert found(network()) == PLAIN
    assert 0.3 * len(clock.tried) <= search.LEAST_TRIALS * 0.3
    clock = times({}, otherwise=0.02)
    found(network())
    assert 0.02 * len(clock.tried) <= search.BUDGET_S


def test_a_real_search_ends_in_time_with_a_plan_that_runs():
    began = time.thread_time()
    state = find_plan(opened(network(), chains=5))
    assert time.thread_time() - began < 3 * search.BUDGET_S
    advance(state)


def test_only_as_many_chains_are_measured_as_are_quick(monkeypatch):
    counts = []

    def timed(lane, device, _clock):
        counts.append(len(lane.chains.x))
        return 0.04 * len(lane.chains.x), tuning.evaluate(lane, device)

    monkeypatch.setattr(search, "timed", timed)
    found(network(), chains=10)
    assert counts[0] == 1 and set(counts[1:]) == {3}


def test_only_the_copy_in_use_is_kept(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    mine = network()
    assert found(mine) == HALF
    assert mine.is_prepared_for(HALF, "last")
    assert not mine.is_prepared_for(replace(HALF, layout=CONTIGUOUS), "last")
    assert not mine.is_prepared_for(replace(HALF, folded=False), "last")


def test_a_copy_that_does_not_fit_into_memory_is_not_made(times, monkeypatch):
    clock = times({(BFLOAT16, CHANNELS_LAST): 0.05})
    monkeypatch.setattr(search, "free_bytes", lambda: 1000)
    assert found(network()) == PLAIN
    assert {plan.layout for plan in clock.tried} == {FORMER}


@pytest.mark.parametrize(
    ("count", "seconds", "chosen"),
    [
        (8, {1: 0.04, 2: 0.02, 4: 0.01, 7: 0.005}, 7),
        (8, {1: 0.04, 2: 0.02, 4: 0.019}, 2),
        (8, {1: 0.04, 2: 0.039}, 1),
        (8, {1: 0.005}, 1),
        (4, {1: 0.04, 2: 0.02, 3: 0.015}, 3),
        (2, {}, 1),
        (1, {}, 1),
    ],
)
def test_threads_are_as_many_as_pay_and_leave_the_window_a_core(
    times, monkeypatch, count, seconds, chosen
):
    monkeypatch.setattr(search, "cores", lambda: count)
    times(seconds)
    for mine in (open_network("lenet"), network()):
        state = find_plan(opened(mine, choose("cpu", "float32", 0), layer=mine.layers[-1].name))
        assert state.device.plan == replace(PLAIN, threads=chosen)
        assert torch.get_num_threads() == chosen


def test_small_images_stay_as_they_are(times):
    clock = times()
    assert found(open_network("lenet"), layer="fc3") == PLAIN
    assert not clock.tried


# What was found before


def test_what_was_found_is_checked_and_used_at_once(times):
    clock = times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF
    clock = times({(BFLOAT16, CONTIGUOUS): 0.01})
    mine = network()
    with torch.no_grad():
        mine.module.last.weight.mul_(2)  # the architecture counts, not the weights
    assert found(mine) == HALF
    assert [plan for plan in clock.tried if plan != PLAIN] == [HALF]


def test_what_was_found_does_not_hold_for_other_layers_chains_requests_or_machines(
    times, monkeypatch
):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF
    times({(BFLOAT16, CONTIGUOUS): 0.01})
    other = replace(HALF, layout=CONTIGUOUS)
    assert found(network(), chains=2) == other
    assert found(network(), layer="norm") == other
    assert found(network(), Device(precision=BFLOAT16, layout="auto")) == other
    assert found(network()) == HALF
    monkeypatch.setattr(cache, "processor", lambda: "another")
    assert found(network()) == other


def test_what_no_longer_suits_is_measured_again(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network(NotInHalf)) == PLAIN
    (entry,) = cache._read()
    cache.remember(entry.key, HALF)
    times({WHOLE: 0.05})
    assert found(network(NotInHalf)) == WHOLE


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"key": {}}]', b"\xff"])
def test_a_damaged_cache_means_measuring_again(times, content):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF
    cache._file().write_bytes(content)
    assert found(network()) == HALF
    assert len(cache._read()) == 1


@pytest.mark.parametrize("damage", [{"threads": 10**6}, {"threads": 0}, {"layout": "another"}])
def test_a_plan_that_is_impossible_is_measured_again(times, damage):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF
    (kept,) = cache._read()
    cache.remember(kept.key, replace(HALF, **damage))
    assert found(network()) == HALF


class WithExtraState(Small):
    def get_extra_state(self) -> dict[str, int]:
        return {"steps": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        pass


class NotDescribed(Small):
    def extra_repr(self) -> str:
        raise AttributeError("nothing to say")


def test_a_module_with_other_state_than_tensors_gets_a_plan(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network(WithExtraState)) == HALF


def test_a_module_that_cannot_be_described_keeps_its_plan(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network(NotDescribed)).layout == FORMER


def test_a_cache_that_cannot_be_written_does_no_harm(times, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path / "file" / "below"))
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    assert found(network()) == HALF


def test_the_cache_stays_small(monkeypatch):
    monkeypatch.setattr(cache, "MOST", 3)
    keys = [cache.Key("mine", str(number), "3 x 32 x 32", 1, "here") for number in range(5)]
    for key in keys:
        cache.remember(key, HALF)
    assert [cache.recall(key) for key in keys] == [None, None, HALF, HALF, HALF]


# The switch


def steps(state, count, finder):
    """Advance as the runner does: a step, then a trial."""
    for _ in range(count):
        state, _ = advance(state)
        plan = finder.proceed(state)
        if plan is not None:
            state, _ = advance(state, [Change("plan", plan)], 0)
    return state


def test_a_session_switches_between_two_steps_and_its_log_says_so(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    state = steps(opened(network()), 20, PlanFinder())
    (entry,) = state.log
    assert entry.name == "plan" and 3 < entry.step < 20
    assert entry.value == asdict(HALF) and state.device.plan == HALF


def test_each_layer_and_number_of_chains_has_its_own_plan(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    finder = PlanFinder()
    state = steps(opened(network()), 20, finder)
    times({(BFLOAT16, CONTIGUOUS): 0.01})
    state, _ = advance(state, [Change("neurons", ["norm:1"])])
    state = steps(state, 20, finder)
    assert state.device.plan.layout == CONTIGUOUS
    state, _ = advance(state, [Change("neurons", ["last:1"])])
    state = steps(state, 20, finder)
    assert state.device.plan == HALF
    state, _ = advance(state, [Change("temperature", 0.3)])
    assert steps(state, 20, finder).device.plan == HALF
    assert [entry.name for entry in state.log].count("plan") == 3


def test_chains_without_a_gradient_are_measured_later(times):
    class Sleeping(Small):
        threshold = 1e6

        def forward(self, x: Tensor) -> Tensor:
            return (super().forward(x) - self.threshold).relu()

    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    mine = network(Sleeping)
    finder = PlanFinder()
    state = opened(mine, layer="output")
    state = steps(state, 10, finder)
    assert not finder.searches and state.device.plan == PLAIN
    mine.module.threshold = -1e6
    mine._folded.module.threshold = -1e6
    state = steps(state, 20, finder)
    assert state.device.plan == HALF


class Running:
    """A runner on its own thread."""

    def __init__(self, state) -> None:
        self.errors: list[str] = []
        self.runner = Runner(state, on_error=self.errors.append)
        self.thread = threading.Thread(target=self.runner.run)
        self.thread.start()

    def close(self):
        self.runner.close()
        self.thread.join(20)
        assert not self.thread.is_alive() and not self.errors
        return self.runner.left.result()


def test_the_runner_searches_while_the_chains_run(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    running = Running(opened(network()))
    before = running.runner.ask(lambda state: state.device.plan).result(20)
    running.runner.step(30)
    running.runner.pause()
    after = running.runner.ask(lambda state: state.device.plan).result(20)
    assert (before, after) == (PLAIN, HALF)
    assert [entry.name for entry in running.close().log] == ["plan"]


def test_a_moment_before_the_switch_switches_again(times):
    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    running = Running(opened(network()))
    moment = running.runner.ask(snapshot)
    running.runner.step(30)
    running.runner.return_to(moment)
    plain = running.runner.ask(lambda state: state.device.plan).result(20)
    running.runner.step(30)
    half = running.runner.ask(lambda state: state.device.plan).result(20)
    assert (plain, half) == (PLAIN, HALF)
    running.close()


def test_closing_in_the_middle_of_a_search_leaves_nothing_behind(monkeypatch):
    in_trial, go = threading.Event(), threading.Event()
    count = 0

    def timed(lane, device, _clock):
        nonlocal count
        count += 1
        if count == 4:  # the first copy
            in_trial.set()
            go.wait(20)
        return 0.1, tuning.evaluate(lane, device)

    monkeypatch.setattr(search, "timed", timed)
    mine = network()
    running = Running(opened(mine))
    threads = threading.active_count()
    running.runner.play()
    assert in_trial.wait(20)
    running.runner.close()
    go.set()
    state = running.close()
    del running
    assert threading.active_count() == threads - 1
    assert state.device.plan == PLAIN and not state.log
    assert not (cache._file()).exists()


def test_a_plan_that_was_refused_on_noise_is_tried_again_and_not_remembered(times):
    class Settling(Small):
        """In bfloat16 its gradient is another one until it has `settled`."""

        settled = False

        def forward(self, x: Tensor) -> Tensor:
            x = x if x.dtype == torch.float32 or self.settled else x.flip(3)
            return super().forward(x)

    times({(BFLOAT16, CHANNELS_LAST): 0.05})
    mine = network(Settling)
    finder = PlanFinder()
    state = steps(opened(mine), 15, finder)
    assert state.device.plan == PLAIN and not cache._read()
    Settling.settled = True
    state = steps(state, 10, finder)
    assert state.device.plan == HALF
    assert [entry.plan for entry in cache._read()] == [HALF]


def test_what_is_refused_for_good_is_not_tried_for_ever(times):
    class Turned(Small):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x if x.dtype == torch.float32 else x.flip(3))

    clock = times({(BFLOAT16, CHANNELS_LAST): 0.05})
    finder = PlanFinder()
    state = steps(opened(network(Turned)), 40, finder)
    tried = len(clock.tried)
    steps(state, 30, finder)
    assert len(clock.tried) == tried


# Memory


def test_the_estimate_of_memory_counts_a_copy_that_is_not_made_yet(monkeypatch):
    mine = network()
    weights = sum(parameter.numel() for parameter in mine.module.parameters())
    assert copy_bytes(mine, HALF) == 2 * weights
    assert copy_bytes(mine, WHOLE) == 4 * weights
    assert copy_bytes(mine, PLAIN) == copy_bytes(mine, Plan(layout="auto")) == 0
    free = step_bytes(mine, "last", None, 3) + weights
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: free)
    memory_needed.check_memory(mine, "last", None, 3)
    with pytest.raises(StudioError, match="3 chains need"):
        memory_needed.check_memory(mine, "last", None, 3, HALF)
    mine.prepare_for(HALF, "last")
    memory_needed.check_memory(mine, "last", None, 3, HALF)
