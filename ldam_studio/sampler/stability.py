r"""The largest steps that are stable with the pulls on the pixels: L2, natural L2 and smoothness.

A step multiplies a wave in the image, on which terms of U with the curvature k pull, by 1 - (eps/2)
k. If that is less than -1, the wave changes its sign in each step and grows: with smoothness a
chequerboard, with L2 every pixel. A step is therefore stable if

    (eps/2) k(f) < c,        k(f) = P(f) sum_i w_i k_i(f) + sum_j w_j k_j

at every frequency f, for the terms i and the `preconditioned` terms j with weights w and curvatures
k (`Term.curvature`), and the largest eigenvalue P(f) of the preconditioner. c is 2 for the kernels
langevin and underdamped; see `Kernel.steepest`. Gradients of networks are not considered: how much
they curve is unknown, and in mode *normalised* their steps have a bounded size.

Total variation curves less where the image is not flat, so that a chequerboard grows only up to a
certain contrast. Below the limit here it does not grow at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.sampler.curve import text_of
from ldam_studio.sampler.preconditioner import gain_of
from ldam_studio.sampler.prepare import kernel_of
from ldam_studio.sampler.schedule import CURVE_OF, points
from ldam_studio.sampler.schedule_settings import CURVES
from ldam_studio.sampler.settings import SETTINGS, Settings, is_of_chains
from ldam_studio.sampler.terms import TERMS

STEPS = ("step_size", "step_size_start")
PULLS = tuple(t.setting for t in TERMS if torch.as_tensor(t.curvature(2, 2)).any())
"""The settings that are weights of terms with a curvature."""

BEARING = (
    *STEPS,
    *PULLS,
    "kernel",
    "spectrum",
    "spectrum_floor",
    "colour_correlation",
    "schedule_shape",
    "schedule",
    "resolution",
    "resolution_start",
    "step_size_curve",
    "resolution_curve",
)
"""The settings on which it depends whether steps are stable."""

Shape = tuple[int, int, int]


def largest_stable(settings: Settings, name: str, shape: Shape) -> float:
    """Return the value of a setting at which a step is no longer stable; infinity without one.

    Parameters
    ----------
    settings
        All other settings. If chains differ in theirs, the least of the values is returned.
    name
        One of `STEPS` or `PULLS`.
    shape
        Shape of the network's images, (C, H, W).
    """
    numbers = [_numbers(settings, n) for n in ("step_size", *PULLS)]
    count = max(map(len, numbers))
    # Most chains have the same values.
    differing = {tuple(v[chain % len(v)] for v in numbers): chain for chain in range(count)}
    return min(
        _largest(settings.of_chains([chain]), name, size)
        for chain in differing.values()
        for size in _sizes(settings, shape)
    )


def _largest(settings: Settings, name: str, shape: Shape) -> float:
    """Return the same for settings of one chain, and images of one size."""
    most = 2 * kernel_of(settings).steepest  # of eps k
    steepness = {pull: _steepness(settings, pull, shape) for pull in PULLS}
    pulled = {pull: _numbers(settings, pull)[0] * steepness[pull] for pull in PULLS}
    if name in STEPS:
        steepest = float(sum(pulled.values()).max())  # type: ignore[union-attr]
        return most / steepest if steepest > 0 else math.inf
    eps = max(_steps(settings))
    others = sum(kind for pull, kind in pulled.items() if pull != name)
    return float(((most / eps - others) / steepness[name]).min())


def _steepness(settings: Settings, pull: str, shape: Shape) -> Tensor:
    """Return a term's curvature in a step for a weight of 1, for each frequency."""
    channels, height, width = shape
    (term,) = (t for t in TERMS if t.setting == pull)
    one = abs(float(term.factor(torch.ones(1))))
    k = one * torch.as_tensor(term.curvature(height, width), dtype=torch.float64)
    if not term.preconditioned:
        correlation = settings.colour_correlation if channels > 1 else 0.0
        k = k * (1 + (channels - 1) * correlation)
        if settings.spectrum:
            gain = gain_of(
                height, width, settings.spectrum, settings.spectrum_floor, torch.device("cpu")
            )
            k = k * gain.double().square()
    return k.expand(height, width // 2 + 1)


def _numbers(settings: Settings, name: str) -> tuple[float, ...]:
    value = getattr(settings, name)
    return value if isinstance(value, tuple) else (value,)


def _steps(settings: Settings) -> tuple[float, ...]:
    """Return the step sizes that a chain takes, among them the largest of its schedule."""
    if settings.schedule_shape == CURVES:
        drawn = (point.value for point in points(settings, "step_size"))
        return (*_numbers(settings, "step_size"), *drawn)
    start = settings.step_size_start if settings.schedule else 0.0
    return (*_numbers(settings, "step_size"), start)


def _sizes(settings: Settings, shape: Shape) -> list[Shape]:
    """Return the shapes of the images that the settings ask for."""
    channels, height, width = shape
    later = [settings.resolution_start if settings.schedule else 0]
    if settings.schedule_shape == CURVES:
        later = [int(point.value) for point in points(settings, "resolution")]
    own = min(height, width)
    sides = dict.fromkeys(side or own for side in (settings.resolution, *later))
    return [(channels, round(height * s / own), round(width * s / own)) for s in sides]


def limited(
    before: Settings, values: Mapping[str, Any], shape: Shape
) -> tuple[dict[str, Any], str]:
    """Return new values of settings with which steps stay stable, and a sentence if they differ.

    A step size or a weight that is raised is limited itself. After any other change that makes
    steps unstable, such as that of the kernel, the step size is lowered.

    Parameters
    ----------
    before
        The settings that `values` change.
    values
        Values by name; those that are no settings of chains are returned as they are.
    shape
        Shape of the network's images, (C, H, W).

    Raises
    ------
    StudioError
        If a value is not valid.
    """
    asked = {name: value for name, value in values.items() if is_of_chains(name)}
    after = before.with_values(asked)
    if not asked.keys() & set(BEARING) or is_stable(after, shape):
        return dict(values), ""
    changed = [name for name in asked if getattr(after, name) != getattr(before, name)]
    pulls = [name for name in changed if name in PULLS]
    names = pulls if len(changed) == 1 and pulls else [*STEPS]
    found, said = dict(values), ""
    for name in names:
        limit = _rounded(largest_stable(after, name, shape))
        if name in PULLS and limit <= 0:
            return limited(before, {**values, name: 0.0}, shape)
        numbers = _numbers(after, name)
        if max(numbers) > limit:
            lower = tuple(min(number, limit) for number in numbers)
            found[name] = lower if len(lower) > 1 else lower[0]
            said = said or _sentence(after, name, limit)
    drawn = points(after, "step_size")
    if names == [*STEPS] and after.schedule_shape == CURVES and drawn:
        limit = _rounded(largest_stable(after, "step_size", shape))
        if max(point.value for point in drawn) > limit:
            lower_points = [point._replace(value=min(point.value, limit)) for point in drawn]
            found[CURVE_OF["step_size"]] = text_of(lower_points)
            said = said or _sentence(after, CURVE_OF["step_size"], limit)
    return found, said


def is_stable(settings: Settings, shape: Shape) -> bool:
    """Return whether steps on images of this shape, (C, H, W), are stable with the settings."""
    limit = _rounded(largest_stable(settings, "step_size", shape))
    return max(_steps(settings)) <= limit


def check_stable(settings: Settings, shape: Shape) -> None:
    """Raise `StudioError` if steps on images of this shape, (C, H, W), are not stable."""
    if not is_stable(settings, shape):
        limit = _rounded(largest_stable(settings, "step_size", shape))
        raise StudioError(
            f"A step size of {max(_steps(settings)):g} is too large: the largest that is stable "
            f"with {_others(settings, 'step_size')} is {limit:g}; lower {_in_text(settings)} or "
            "the step size."
        )


def _rounded(limit: float) -> float:
    """Return the next number of two digits below a limit, at which itself noise adds up forever."""
    if not math.isfinite(limit) or limit <= 0:
        return limit
    unit = 10.0 ** (math.floor(math.log10(limit)) - 1)
    return float(f"{(math.ceil(limit / unit - 1e-9) - 1) * unit:.6g}")


def _sentence(settings: Settings, name: str, limit: float) -> str:
    return (
        f"{SETTINGS[name].label} is limited to {limit:g}, the largest value that is stable with "
        f"{_others(settings, name)}: beyond it steps overshoot, and chequerboards grow."
    )


def _others(settings: Settings, name: str) -> str:
    """Name the settings that limit a setting, with their values."""
    names = (n for n in ("step_size", *PULLS) if n != name and (name in PULLS or n in PULLS))
    worded = {n: max(_numbers(settings, n)) for n in names if n not in STEPS or name not in STEPS}
    if name in PULLS:
        worded["step_size"] = max(_steps(settings))
    words = [f"{SETTINGS[n].label} {value:g}" for n, value in worded.items() if value > 0]
    return " and ".join(words)


def _in_text(settings: Settings) -> str:
    """Name the pulls on the pixels within a sentence."""
    labels = [SETTINGS[pull].label for pull in PULLS if max(_numbers(settings, pull)) > 0]
    return ", ".join(f"the {w if w.startswith('L2') else w.lower()}" for w in labels)
