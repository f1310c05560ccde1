"""Comparing a session's plan with plain float32, and the plan with which a session starts.

On the CPU the best plan is found by `engine.plans` while the chains run; until then a session
runs as versions up to 0.1.0 did. On a graphics processor bfloat16 is assumed to be faster, and only
its gradient is checked. The result is recorded in the recipe and kept by replays, because it
affects the last bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.compute.device import AUTO, Device
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.networks.plan import BFLOAT16, FLOAT32, FORMER, PLAIN, Plan
from ldam_studio.networks.quiet import quiet

LEAST_COSINE = 0.99
"""Cosine between a chain's gradients under a plan and in plain float32 that is always accepted."""

GREY_LEVELS = 2 / 255
"""Share of the pixels' range by which the images are disturbed, to see how well their gradient is
defined at all. In networks with rectifiers it jumps where a unit starts or stops: the gradient of
SqueezeNet's classes on noise has a cosine of 0.93 with that on the same images rounded to 8 bits. A
plan is also accepted if it changes the gradient less than this disturbance does, which is smaller
than the noise that a step adds."""

LOWEST_COSINE = 0.8
"""A plan with a smaller cosine is never accepted."""

MOST_ERROR = 0.1
"""Largest accepted relative error of the gradient's length, and of the value. The latter is
compared with what the gradient changes over the length of the image, too, since a value near zero
has no accuracy of its own."""

FEW = 4
"""Largest number of chains in a measurement."""

WORTH_HALVING = 3 * 32 * 32
"""Number of values in an image. With smaller images a step spends its time elsewhere, and takes too
little of it to be measured."""


class Verdict(Enum):
    """Result of comparing a lane's gradients under a plan with those in plain float32."""

    KEPT = "kept"
    CHANGED = "changed"
    FAILED = "failed"
    """The plan raises an exception, plain float32 does not: the user's own code may not support
    it."""
    OPEN = "open"
    """No comparison was possible: no chain has a gradient, or plain float32 raises an exception
    too."""


def settle(device: Device, lane: Lane) -> Device:
    """Return `device` with a plan to begin with where precision, layout or threads are undecided.

    On the CPU nothing is measured here.
    """
    if AUTO not in (device.precision, device.layout) and device.threads:
        return device
    asked = {"precision": device.precision != AUTO, "threads": device.threads > 0}
    device = replace(
        device,
        precision=FLOAT32 if device.precision == AUTO else device.precision,
        threads=device.threads or 1,
        layout=FORMER,
        tried=True,
        asked=tuple(name for name, is_asked in asked.items() if is_asked),
    )
    if device.name != "cpu":
        device = replace(device, tried=False) if asked["precision"] else _on_gpu(device, lane)
    device.apply()
    return device


def _on_gpu(device: Device, lane: Lane) -> Device:
    """Choose bfloat16 if the device supports it and the gradient stays the same."""
    half = replace(device, precision=BFLOAT16)
    takes = not is_small(lane) and computes_in_bfloat16(device.name)
    kept = takes and compare(half, lane) is Verdict.KEPT
    return half if kept else replace(device, tried=False)


def is_small(lane: Lane) -> bool:
    """Return whether a lane's images are too small for precision and layout to matter."""
    return math.prod(lane.sized.pixels.shape) < WORTH_HALVING


def safe_plan(device: Device) -> Plan:
    """Return the plan that needs no check: the module itself, in the requested precision."""
    precision = device.precision if "precision" in device.asked else FLOAT32
    return replace(PLAIN, precision=precision, threads=device.threads)


def compare(device: Device, lane: Lane) -> Verdict:
    """Compare a lane's values and gradients with those in plain float32; never raises."""
    try:
        plain = device.with_plan(PLAIN)
        reference = Reference.of(evaluate(lane, plain), evaluate(disturbed(lane), plain))
    except Exception:
        return Verdict.OPEN
    try:
        found = evaluate(lane, device)
    except Exception:
        return Verdict.FAILED
    return reference.verdict(found)


Evaluated = tuple[Tensor, Tensor]
"""The value of each chain, (chains,), and its gradient, (chains, pixels)."""


@quiet()
def evaluate(lane: Lane, device: Device) -> Evaluated:
    """Return the values and gradients of a lane's chains as they are now."""
    value, gradient = activation_of(lane, device)(lane.chains.x)
    return value, gradient.flatten(1)


def disturbed(lane: Lane) -> Lane:
    """Return the lane with noise of `GREY_LEVELS` on its images, the same at each call."""
    low, high = lane.sized.pixels.bounds
    x = lane.chains.x
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x.device)
    x = x + GREY_LEVELS * (high - low) * noise
    return replace(lane, chains=replace(lane.chains, x=x))


@dataclass(frozen=True)
class Reference:
    """Values and gradients in plain float32, and the cosine that other gradients need, (chains,).

    The cosine is NaN for chains without a gradient.
    """

    value: Tensor
    gradient: Tensor
    needed: Tensor

    @classmethod
    def of(cls, plain: Evaluated, disturbed: Evaluated) -> Reference:
        """Return the reference, given the same also for `disturbed` images."""
        own = gradient_cosine(plain[1], disturbed[1])
        return cls(*plain, own.clamp(LOWEST_COSINE, LEAST_COSINE))

    def verdict(self, found: Evaluated) -> Verdict:
        """Compare values and gradients under a plan with these."""
        compared = ~self.needed.isnan()
        if not compared.any():
            return Verdict.OPEN
        cosine = gradient_cosine(self.gradient, found[1])
        close = (cosine >= self.needed) & self._is_as_large(found)
        return Verdict.KEPT if bool(close[compared].all()) else Verdict.CHANGED

    def _is_as_large(self, found: Evaluated) -> Tensor:
        value, gradient = self.value.double(), self.gradient.double()
        length = gradient.norm(dim=1)
        reach = length * math.sqrt(gradient.shape[1])
        longer = (found[1].double().norm(dim=1) - length).abs()
        away = (found[0].double() - value).abs()
        most = MOST_ERROR * torch.maximum(value.abs(), reach)
        result: Tensor = (longer <= (1 - self.needed + MOST_ERROR) * length) & (away <= most)
        return result


def try_again(state: SessionState) -> str:
    """Return to the safe plan if chains have turned to a layer that the present one does not suit.

    The state is changed in place. Nothing is compared if the plan was requested or recorded. A
    layer for which no comparison was possible is compared again at the next call.

    Returns
    -------
    A line for the traces; empty if nothing changed.
    """
    device = state.device
    safe = safe_plan(device)
    for lane in state.lanes:
        layer = layer_of(lane)
        if not device.tried or device.plan == safe or layer in state.checked_layers:
            continue
        found = compare(device, with_few(lane))
        if found in (Verdict.CHANGED, Verdict.FAILED):
            state.device = device.with_plan(safe)
            name, where = lane.network.name, lane.targets.layer
            return f"{safe.precision}, as " + (
                f"{device.plan.words} would change the gradient in {where}"
                if found is Verdict.CHANGED
                else f"{name} fails in {device.plan.words} in {where}"
            )
        if found is Verdict.KEPT:
            state.checked_layers |= {layer}
    return ""


def layer_of(lane: Lane) -> tuple[str, str, str]:
    """Return the key of a lane's layer in `SessionState.checked_layers`."""
    return lane.network.name, lane.network.sha256, lane.targets.layer


def with_few(lane: Lane, count: int = FEW) -> Lane:
    """Return the lane with its first chains alone."""
    few = lane.targets.units.first(count)
    chains = replace(lane.chains, x=lane.chains.x[:count])
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
    """Return the cosine of each chain's gradients in float32 and under a plan, shape (chains,).

    It is NaN if a chain has no gradient in float32, and 0 if the other is zero or not finite. Both
    gradients are scaled first, so that their squares neither overflow nor underflow.
    """
    one, other = (gradient / gradient.abs().amax(1, keepdim=True) for gradient in (whole, half))
    cosine = torch.cosine_similarity(one, other, dim=1).nan_to_num(0.0)
    return cosine.masked_fill((whole == 0).all(1), torch.nan)
