"""Finding out what suits a session on this machine: its precision and its number of threads.

Both are tried on the session's own chains before the first step, recorded in its recipe, and kept
by whatever goes on from there, because they decide about the last bits.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine.lanes import activation_of
from ldam_studio.engine.machine import Machine
from ldam_studio.engine.state import Lane

LEAST_COSINE = 0.99
"""Between the gradient in bfloat16 and in float32; below it the chains would go elsewhere."""

WORTH_HALVING = 3 * 32 * 32
"""Values of an image; on smaller ones casting to and fro costs more than it saves."""

WORTH_SHARING = 0.01
"""Seconds; a second thread makes what takes less than this slower, as often as not."""

WORTHWHILE = 0.9
"""More threads are taken if they bring the time below this share of it."""


def settle(machine: Machine, lane: Lane) -> Machine:
    """Return `machine` with what was left open decided for the network and chains of `lane`.

    What fails here fails again in the first step, which has words for it: nothing is decided by it.
    """
    try:
        return _tried(machine, lane)
    except (MemoryError, RuntimeError):
        precision = "float32" if machine.precision == "auto" else machine.precision
        settled = replace(machine, precision=precision, threads=machine.threads or 1)
        settled.apply()
        return settled


def _tried(machine: Machine, lane: Lane) -> Machine:
    if machine.precision == "auto":
        machine = replace(machine, precision=_precision(machine, lane))
    if not machine.threads:
        machine = replace(machine, threads=_threads(machine, lane))
        machine.apply()
    return machine


def _precision(machine: Machine, lane: Lane) -> str:
    """Choose bfloat16 where the processor computes in it and the gradient stays what it is."""
    small = math.prod(lane.network.pixels.shape) < WORTH_HALVING
    if small or not computes_in_bfloat16(machine.device):
        return "float32"
    cosine = gradient_cosine(machine, lane)
    # NaN, where a chain has no gradient to compare, is not enough.
    return "bfloat16" if bool((cosine >= LEAST_COSINE).all()) else "float32"


def computes_in_bfloat16(device: str) -> bool:
    """Whether a device has instructions for bfloat16, rather than imitating it."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    found = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(found is not None and found())


def gradient_cosine(machine: Machine, lane: Lane) -> Tensor:
    """Return the cosine of each chain's gradients in bfloat16 and float32, shape (chains,).

    NaN where a chain has no gradient.
    """
    whole, half = (
        activation_of(lane, replace(machine, precision=precision))(lane.chains.x)[1].flatten(1)
        for precision in ("float32", "bfloat16")
    )
    silent = (whole == 0).all(1) | (half == 0).all(1)
    return torch.cosine_similarity(whole, half, dim=1).masked_fill(silent, torch.nan)


def _threads(machine: Machine, lane: Lane) -> int:
    """Choose as few threads as are about as fast as more; one core is left for the window."""
    if machine.device != "cpu":
        return 1
    most = max(1, _cores() - 1)
    chosen, fastest = 1, _seconds(machine, lane, 1) if most > 1 else 0.0
    if fastest < WORTH_SHARING:
        return 1
    counts = sorted({2**power for power in range(1, most.bit_length())} | {most})
    for count in counts:
        seconds = _seconds(machine, lane, count)
        if seconds > WORTHWHILE * fastest:
            break
        chosen, fastest = count, seconds
    return chosen


def _seconds(machine: Machine, lane: Lane, threads: int) -> float:
    """Return the shorter of two looks at the chains, after one that does not count."""
    replace(machine, threads=threads).apply()
    activation = activation_of(lane, machine)
    times = []
    for _ in range(3):
        started = time.perf_counter()
        activation(lane.chains.x)
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
