"""Finding the fastest plan of execution by measurement, while the chains run.

A search is a row of short trials, each of which computes the gradient of a few chains once. The
runner makes one trial between two steps, so that the session is at no time without frames and no
second thread is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.memory_needed import copy_bytes
from ldam_studio.engine.plans.cache import cores, key_of, recall, remember
from ldam_studio.engine.plans.candidates import candidates
from ldam_studio.engine.state import Lane
from ldam_studio.engine.tuning import (
    FEW,
    Evaluated,
    Reference,
    Verdict,
    compare,
    disturbed,
    evaluate,
    is_small,
    safe_plan,
    with_few,
)
from ldam_studio.memory import free_bytes
from ldam_studio.networks.plan import (
    BFLOAT16,
    FLOAT32,
    PLAIN,
    Plan,
)

BUDGET_S = 1.0
"""Processor time of one search. A trial that would exceed it is not made."""

LEAST_TRIALS = 3
"""Where one evaluation in plain float32 takes so long that the budget would not allow as many of
them as this, they are made nevertheless."""

TRIAL_S = 0.15
"""Processor time that a trial in plain float32 should take at most; it decides how many chains are
measured."""

HOPELESS = 1.6
"""A plan is dropped if its first trial, which includes making the copy's buffers, takes this much
longer than the best plan so far."""

CLEARLY_FASTER = 0.75
"""Other plans in float32 are not tried if one in bfloat16 takes less than this share of the time
of the first."""

WORTHWHILE = 0.95
"""A plan is used if it takes less than this share of the time of the safe plan."""

WORTH_SHARING = 0.01
"""Seconds; a second thread often slows down a gradient that takes less time than this."""

MORE_THREADS = 0.9
"""More threads are used if they reduce the time below this share."""

Plans = Generator[None, None, Plan]


@dataclass(frozen=True)
class Found:
    """The result of a search.

    It is not `final` if a plan was refused because it changes the gradient, or if no chain has a
    gradient: at the start, images of noise have small and ragged gradients.
    """

    plan: Plan
    final: bool


Trials = Generator[None, None, Found]


def search(device: Device, lanes: Sequence[Lane]) -> Trials:
    """Search for the plan for the first lane; one trial is made each time the generator is resumed.

    The plan is also checked on the other lanes.
    """
    return _Search(device, lanes).run()


class _Search:
    def __init__(self, device: Device, lanes: Sequence[Lane]) -> None:
        self._device, self._front, self._others = device, lanes[0], lanes[1:]
        self._network = lanes[0].sized
        self._safe = safe_plan(device)
        self._spent, self._budget = 0.0, BUDGET_S
        self._lane = with_few(self._front, 1)
        self._refused = False

    def run(self) -> Trials:
        plan = self._device.plan
        try:
            found = yield from self._chosen()
            plan = found or plan
        except Exception:
            # The user's own module may also fail where it is described or copied. The session goes
            # on as it is.
            found = None
        finally:
            self._network.keep_copies(self._front.targets.layer, self._device.plan, plan)
        return Found(plan, final=found is not None and not self._refused)

    def _chosen(self) -> Generator[None, None, Plan | None]:
        """Return the plan; None if nothing can be compared."""
        if is_small(self._front):
            return (yield from self._with_threads(self._safe))
        first = self._trial(PLAIN)
        yield
        if first is None:
            return None
        self._budget = max(BUDGET_S, LEAST_TRIALS * first[0])
        chains = max(1, min(FEW, len(self._front.neurons), int(TRIAL_S / first[0])))
        self._lane = with_few(self._front, chains)
        plain = self._trial(PLAIN) if chains > 1 else first
        yield
        other = self._trial(PLAIN, disturb=True)
        yield
        if plain is None or other is None:
            return None
        reference = Reference.of(plain[1], other[1])
        if reference.verdict(plain[1]) is not Verdict.KEPT:
            return None
        key = key_of(self._device, self._front)
        known = recall(key)
        if known is not None and (yield from self._suits(known, reference)):
            return known
        fastest = yield from self._fastest(reference, min(plain[0], other[0]))
        plan = yield from self._with_threads(fastest)
        if not self._refused:
            remember(key, plan)
        return plan

    def _suits(self, plan: Plan, reference: Reference) -> Generator[None, None, bool]:
        if plan != self._safe:
            found = self._trial(plan)
            yield
            if found is None or reference.verdict(found[1]) is not Verdict.KEPT:
                return False
        return self._suits_others(plan)

    def _suits_others(self, plan: Plan) -> bool:
        device = self._device.with_plan(plan)
        bad = (Verdict.CHANGED, Verdict.FAILED)
        return all(compare(device, with_few(lane)) not in bad for lane in self._others)

    def _fastest(self, reference: Reference, safe: float) -> Plans:
        """Try the candidates, the most promising first; `safe` is the safe plan's time."""
        best, chosen = safe, self._safe
        waiting = candidates(self._device)
        while waiting:
            plan = waiting.pop(0)
            if plan == self._safe or (plan.precision == FLOAT32 and best < CLEARLY_FASTER * safe):
                continue
            seconds = yield from self._seconds(plan, reference, best)
            if seconds < min(best, WORTHWHILE * safe):
                best, chosen = seconds, plan
                if plan.folded and self._network.folds(self._front.targets.layer):
                    waiting.append(replace(plan, folded=False))
                if plan.precision == BFLOAT16:  # autocast is for what cannot be prepared
                    waiting = [other for other in waiting if other.copies]
        return chosen if self._suits_others(chosen) else self._safe

    def _seconds(
        self, plan: Plan, reference: Reference, best: float
    ) -> Generator[None, None, float]:
        """Return the time of a trial; infinite if the plan is of no use or the time is used up."""
        never = float("inf")
        if self._spent + CLEARLY_FASTER * best > self._budget or not self._fits(plan):
            return never
        first = self._trial(plan)
        yield
        if first is None or first[0] > HOPELESS * best:
            return never
        if reference.verdict(first[1]) is not Verdict.KEPT:
            self._refused = True
            return never
        seconds = first[0]
        for _ in range(2):
            if self._spent + seconds > self._budget:
                break
            further = self._trial(plan)
            yield
            seconds = min(seconds, further[0]) if further else seconds
        return seconds

    def _fits(self, plan: Plan) -> bool:
        return 2 * copy_bytes(self._network, plan) < free_bytes()

    def _trial(self, plan: Plan, *, disturb: bool = False) -> tuple[float, Evaluated] | None:
        """Return the processor time of one evaluation and its result; None if it fails."""
        # On one thread, so that neither other programs nor waiting threads matter.
        device = self._device.with_plan(replace(plan, threads=1))
        try:
            if plan.copies:
                started = time.thread_time()
                self._network.prepare_for(plan, self._front.targets.layer)
                self._spent += time.thread_time() - started
            lane = disturbed(self._lane) if disturb else self._lane
            seconds, found = timed(lane, device, time.thread_time)
        except Exception:
            return None
        finally:
            self._device.apply()
        self._spent += seconds
        return seconds, found

    def _with_threads(self, plan: Plan) -> Plans:
        """Choose the smallest number of threads that is about as fast as more of them."""
        chosen = self._device.threads
        if "threads" not in self._device.asked:
            chosen = yield from self._threads(plan)
        return replace(plan, threads=chosen)

    def _threads(self, plan: Plan) -> Generator[None, None, int]:
        # One of many cores is left for the window, which needs little of it, but not one of two.
        most = cores() - 1 if cores() > 2 else cores()
        if most == 1:
            return 1
        yield
        chosen, fastest = 1, self._elapsed(replace(plan, threads=1))
        if fastest < WORTH_SHARING:
            return 1
        until = self._spent + max(BUDGET_S / 2, LEAST_TRIALS * fastest)
        for count in sorted({2**power for power in range(1, most.bit_length())} | {most}):
            if self._spent + fastest > until:
                break
            yield
            seconds = self._elapsed(replace(plan, threads=count))
            if seconds > MORE_THREADS * fastest:
                break
            chosen, fastest = count, seconds
        return chosen

    def _elapsed(self, plan: Plan) -> float:
        """Return the shorter time of two evaluations; infinite if one fails."""
        device = self._device.with_plan(plan)
        try:
            times = [timed(self._lane, device, time.perf_counter)[0] for _ in range(2)]
        except Exception:
            return float("inf")
        finally:
            self._device.apply()
        self._spent += sum(times)
        return min(times)


def timed(lane: Lane, device: Device, clock: Callable[[], float]) -> tuple[float, Evaluated]:
    """Return the seconds that an evaluation of a lane's chains takes, and its result."""
    device.apply()
    started = clock()
    found = evaluate(lane, device)
    return clock() - started, found
