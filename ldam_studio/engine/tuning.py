"""Measuring which precision and how many threads suit a session on this computer.

Both are measured on the session's own chains before the first step. They are recorded in its recipe
and kept by replays and continued sessions, because they affect the last bits. Precision is measured
again when the chains turn to another layer; it may become float32 then, which the log records.
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
"""Smallest accepted cosine between the gradients in bfloat16 and float32."""

FEW = 4
"""Number of chains for a later measurement of precision, which delays the next frame."""

WORTH_HALVING = 3 * 32 * 32
"""Number of values in an image; on smaller images the conversions to bfloat16 cost more than they
save."""

WORTH_SHARING = 0.01
"""Seconds; a second thread often slows down a gradient that takes less time than this."""

WORTHWHILE = 0.9
"""More threads, or bfloat16, are used if they reduce the time below this share."""


class Verdict(Enum):
    """Result of comparing a lane's gradients in bfloat16 and float32."""

    KEPT = "kept"
    CHANGED = "changed"
    FAILED = "failed"
    """bfloat16 raises an exception, float32 does not: the user's own code may not support it."""
    OPEN = "open"
    """No comparison was possible: no chain has a gradient, or float32 raises an exception too."""


def settle(device: Device, lane: Lane) -> Device:
    """Return `device` with undecided precision or threads chosen for the chains of `lane`.

    Exceptions are ignored here: they occur again in the first step, which reports them.
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
    """Choose bfloat16 if the device supports it, the gradient stays the same and it is faster.

    Some processors have the instructions, but take longer with them.
    """
    small = math.prod(lane.sized.pixels.shape) < WORTH_HALVING
    if small or not computes_in_bfloat16(device.name):
        return "float32"
    kept = compare(device, lane) is Verdict.KEPT
    return "bfloat16" if kept and saves_time(device, _with_few(lane)) else "float32"


def saves_time(device: Device, lane: Lane) -> bool:
    """Return whether a lane's gradients take clearly less time in bfloat16 than in float32.

    This is assumed on a graphics processor. On the CPU the time of one thread is measured, so that
    other programs do not matter. If the gradient raises an exception, the answer is no: the user's
    own code may require another number of chains.
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
    """Compare a lane's gradients in bfloat16 with those in float32; never raises."""
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
    """Switch to float32 for good if chains have turned to a layer that bfloat16 does not suit.

    The state is changed in place. Nothing is measured if bfloat16 was requested or recorded. A
    layer for which no comparison was possible is measured again at the next call.

    Returns
    -------
    A line for the traces; empty if nothing changed.
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
    """Return the key of a lane's layer in `SessionState.bfloat16_layers`."""
    return lane.network.name, lane.network.sha256, lane.targets.layer


def _with_few(lane: Lane) -> Lane:
    few = lane.targets.units.first(FEW)
    chains = replace(lane.chains, x=lane.chains.x[:FEW])
    return replace(lane, targets=replace(lane.targets, units=few), chains=chains)


def computes_in_bfloat16(device: str) -> bool:
    """Return whether a device has instructions for bfloat16 and does not merely emulate it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    found = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(found is not None and found())


def gradient_cosine(whole: Tensor, half: Tensor) -> Tensor:
    """Return the cosine of each chain's gradients in float32 and bfloat16, shape (chains,).

    It is NaN if a chain has no gradient in float32, and 0 if its gradient in bfloat16 is zero or
    not finite. Both gradients are scaled first, so that their squares neither overflow nor
    underflow.
    """
    one, other = (gradient / gradient.abs().amax(1, keepdim=True) for gradient in (whole, half))
    cosine = torch.cosine_similarity(one, other, dim=1).nan_to_num(0.0)
    return cosine.masked_fill((whole == 0).all(1), torch.nan)


def _gradient(device: Device, lane: Lane, precision: str) -> Tensor:
    activation = activation_of(lane, replace(device, precision=precision))
    return activation(lane.chains.x)[1].flatten(1)


def _threads(device: Device, lane: Lane) -> int:
    """Choose the smallest number of threads that is about as fast as more of them.

    One core is left for the window.
    """
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
    """Return the shorter time of two evaluations, after one that is not counted."""
    replace(device, threads=threads).apply()
    activation = activation_of(lane, device)
    times = []
    for _ in range(3):
        started = clock()
        activation(lane.chains.x)
        times.append(clock() - started)
    return min(times[1:])


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
