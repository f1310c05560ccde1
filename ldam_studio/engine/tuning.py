"""Finding out what suits a session on this machine: its precision and its number of threads.

Both are tried on the session's own chains before the first step, recorded in its recipe, and kept
by whatever goes on from there, because they decide about the last bits. Precision is tried again
where the chains turn to another layer, and may become float32 there, which the log records.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

import torch
from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.lane import activation_of
from ldam_studio.engine.state import Lane, SessionState

LEAST_COSINE = 0.99
"""Between the gradient in bfloat16 and in float32; below it the chains would go elsewhere."""

FEW = 4
"""Chains that are looked at where it is tried again: the next frame waits for it."""

WORTH_HALVING = 3 * 32 * 32
"""Values of an image; on smaller ones casting to and fro costs more than it saves."""

WORTH_SHARING = 0.01
"""Seconds; a second thread makes what takes less than this slower, as often as not."""

WORTHWHILE = 0.9
"""More threads, or bfloat16, are taken if they bring the time below this share of it."""


class Verdict(Enum):
    """What comparing a lane's gradients in bfloat16 and in float32 gave."""

    KEPT = "kept"
    CHANGED = "changed"
    FAILED = "failed"
    """bfloat16 raises where float32 does not: a person's own code may not be made for it."""
    OPEN = "open"
    """Nothing could be compared: no chain has a gradient, or float32 raises too."""


def settle(device: Device, lane: Lane) -> Device:
    """Return `device` with what was left open decided for the network and chains of `lane`.

    What fails here fails again in the first step, which has words for it.
    """
    if device.precision == "auto":
        precision = _precision(device, lane)
        device = replace(device, precision=precision, tried=precision == "bfloat16")
    if not device.threads:
        try:
            threads = _threads(device, lane)
        except Exception:
            threads = 1
        device = replace(device, threads=threads)
        device.apply()
    return device


def _precision(device: Device, lane: Lane) -> str:
    """Choose bfloat16 where it is computed in, the gradient stays what it is, and it is faster.

    That a processor has the instructions says little: some take longer with them.
    """
    small = math.prod(lane.network.pixels.shape) < WORTH_HALVING
    if small or not computes_in_bfloat16(device.name):
        return "float32"
    kept = compare(device, lane) is Verdict.KEPT
    return "bfloat16" if kept and saves_time(device, _with_few(lane)) else "float32"


def saves_time(device: Device, lane: Lane) -> bool:
    """Whether a lane's gradients take clearly less time in bfloat16 than in float32.

    On a graphics processor they do. Else it is one thread's time on the processor that counts,
    whatever else the machine is doing. Not if they fail: a person's own code may take no other
    number of chains.
    """
    if device.name != "cpu":
        return True
    try:
        whole, half = (
            _seconds(replace(device, precision=precision), lane, 1, time.thread_time)
            for precision in ("float32", "bfloat16")
        )
    except Exception:
        return False
    finally:
        device.apply()
    return half < WORTHWHILE * whole


def compare(device: Device, lane: Lane) -> Verdict:
    """See whether bfloat16 leaves a lane's gradients what they are; raises nothing."""
    try:
        whole = _gradient(device, lane, "float32")
    except Exception:
        return Verdict.OPEN
    try:
        half = _gradient(device, lane, "bfloat16")
    except Exception:
        return Verdict.FAILED
    cosine = gradient_cosine(whole, half)
    compared = cosine[~cosine.isnan()]
    if not len(compared):
        return Verdict.OPEN
    return Verdict.KEPT if bool((compared >= LEAST_COSINE).all()) else Verdict.CHANGED


def try_again(state: SessionState) -> str:
    """Go on in float32, for good, where chains turned to a layer that bfloat16 does not suit.

    In place. Nothing is tried where bfloat16 was asked for or is recorded. A layer of which nothing
    could be compared is tried when this is called again.

    Returns
    -------
    What to say of it; empty if nothing changed.
    """
    for lane in state.lanes:
        layer = layer_of(lane)
        if not state.device.tried or layer in state.bfloat16_layers:
            continue
        verdict = compare(state.device, _with_few(lane))
        if verdict is Verdict.CHANGED:
            state.device = state.device.in_float32()
            return f"float32, as bfloat16 would change the gradient in {lane.targets.layer}"
        if verdict is Verdict.FAILED:
            state.device = state.device.in_float32()
            return f"float32, as {lane.network.name} fails in bfloat16 in {lane.targets.layer}"
        if verdict is Verdict.KEPT:
            state.bfloat16_layers |= {layer}
    return ""


def layer_of(lane: Lane) -> tuple[str, str, str]:
    """Return what `SessionState.bfloat16_layers` calls the layer that a lane looks at."""
    return lane.network.name, lane.network.sha256, lane.targets.layer


def _with_few(lane: Lane) -> Lane:
    few = lane.targets.units.first(FEW)
    chains = replace(lane.chains, x=lane.chains.x[:FEW])
    return replace(lane, targets=replace(lane.targets, units=few), chains=chains)


def computes_in_bfloat16(device: str) -> bool:
    """Whether a device has instructions for bfloat16, rather than imitating it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    found = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(found is not None and found())


def gradient_cosine(whole: Tensor, half: Tensor) -> Tensor:
    """Return the cosine of each chain's gradients in float32 and bfloat16, shape (chains,).

    NaN where a chain has no gradient in float32; 0 where bfloat16 leaves none, or none that is
    finite. Both are scaled first, as the squares of what is very short or long are not in float32.
    """
    one, other = (gradient / gradient.abs().amax(1, keepdim=True) for gradient in (whole, half))
    cosine = torch.cosine_similarity(one, other, dim=1).nan_to_num(0.0)
    return cosine.masked_fill((whole == 0).all(1), torch.nan)


def _gradient(device: Device, lane: Lane, precision: str) -> Tensor:
    activation = activation_of(lane, replace(device, precision=precision))
    return activation(lane.chains.x)[1].flatten(1)


def _threads(device: Device, lane: Lane) -> int:
    """Choose as few threads as are about as fast as more; one core is left for the window."""
    if device.name != "cpu":
        return 1
    most = max(1, _cores() - 1)
    chosen, fastest = 1, _seconds(device, lane, 1) if most > 1 else 0.0
    if fastest < WORTH_SHARING:
        return 1
    counts = sorted({2**power for power in range(1, most.bit_length())} | {most})
    for count in counts:
        seconds = _seconds(device, lane, count)
        if seconds > WORTHWHILE * fastest:
            break
        chosen, fastest = count, seconds
    return chosen


def _seconds(
    device: Device, lane: Lane, threads: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the shorter of two looks at the chains, after one that does not count."""
    replace(device, threads=threads).apply()
    activation = activation_of(lane, device)
    times = []
    for _ in range(3):
        started = clock()
        activation(lane.chains.x)
        times.append(clock() - started)
    return min(times[1:])


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
