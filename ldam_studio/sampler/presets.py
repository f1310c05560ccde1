"""Presets: named sets of settings for one purpose.

Applying a preset makes ordinary changes of settings. A recipe contains these changes, not the
preset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.sampler.terms import TERMS

SIDE = 224
"""Pixels along the shorter side of the images for which the jitter in `PRESETS` was chosen."""
PHOTOGRAPH = 64
"""Pixels along the shorter side from which on images count as photographs."""


def is_photograph(shape: Sequence[int]) -> bool:
    """Return whether images of ``shape``, (C, H, W), are large enough to be photographs."""
    return min(shape[1:]) >= PHOTOGRAPH


@dataclass(frozen=True)
class Preset:
    """A named set of settings.

    Attributes
    ----------
    name, label, help
        The name as it is typed, the title in menus, and one sentence about its purpose.
    settings
        Values by name (see `settings.SETTINGS`).
    side
        Pixels along the shorter side of the images for which the jitter was chosen; the jitter is
        scaled in proportion for other images. None for no scaling.
    small
        Values that differ for grey images smaller than photographs (digits), with a discriminator.
    coloured
        Values that differ for colour images smaller than photographs, with a discriminator.
    """

    name: str
    label: str
    help: str
    settings: Mapping[str, Any]
    side: int | None = None
    small: Mapping[str, Any] = field(default_factory=dict)
    coloured: Mapping[str, Any] = field(default_factory=dict)

    def values(self, shape: tuple[int, int, int], *, discriminator: bool) -> dict[str, Any]:
        """Return the values for one network, by name.

        Parameters
        ----------
        shape
            Shape of the network's images, (C, H, W).
        discriminator
            Whether there is a discriminator for these images. Without one its weight is set to 0,
            so that the neuron's own gradient keeps its full weight.
        """
        values, side = dict(self.settings), min(shape[1:])
        if self.side is not None and "jitter" in values:
            values["jitter"] = round(values["jitter"] * side / self.side)
        if discriminator:
            own = self.small if shape[0] == 1 else self.coloured
            return values if is_photograph(shape) else values | dict(own)
        if "discriminator_weight" in values:
            values["discriminator_weight"] = 0.0
        return values


CLOUDY: Mapping[str, Any] = {"start_spectrum": 1.0, "start_spread": 0.17}
"""Start settings that lead to more different images on small photographs; no preset changes
starts."""


NO_VIEWS: Mapping[str, Any] = {
    "view_zoom": 1.0,
    "view_rotation": 0.0,
    "view_flip": False,
    "view_size": 1.0,
    "views": 1,
}
"""Settings without views other than jitter."""

NO_SCHEDULE: Mapping[str, Any] = {
    "schedule": 0,
    "step_size_start": 0.0,
    "temperature_start": 0.0,
    "resolution": 0,
    "resolution_start": 0,
    "coarse_share": 0.5,
}
"""Settings without a schedule, at the network's own resolution."""


def _table(*presets: Preset) -> dict[str, Preset]:
    """Return the presets by name; terms of the log-density that they do not name are off in them.

    Otherwise a preset would leave such a term as the preset before it, or the user, has set it. In
    the same way the objective is the activation, without photo statistics.
    """
    off = {term.setting: 0.0 for term in TERMS} | {
        "objective": "activation",
        "photo_statistics": 0.0,
    }
    return {
        preset.name: replace(preset, settings={**preset.settings, **off, **preset.settings})
        for preset in presets
    }


PRESETS: dict[str, Preset] = _table(
    Preset(
        "paper",
        "Paper",
        "The settings of the paper: for photographs a discriminator and L2, averaged over 200 "
        "samples; for digits those of its Figure 1.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.05,
            "temperature": 0.002,
            "l2": 0.05,
            "discriminator_weight": 0.75,
            "smoothness": 0.0,
            "natural_l2": 0.0,
            "spectrum": 0.0,
            "spectrum_floor": 0.0,
            "colour_correlation": 0.0,
            "jitter": 0,
            **NO_VIEWS,
            **NO_SCHEDULE,
            "window": 200,
        },
        SIDE,
        {"step_size": 0.1, "temperature": 0.01, "l2": 0.0, "discriminator_weight": 0.8},
    ),
    Preset(
        "clean",
        "Clean",
        "Pictures that are as easy to recognise as possible: broad features and brightness come "
        "first; jitter, smoothness and a weak discriminator suppress the fine noise to which "
        "networks respond and people do not.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.15,
            "temperature": 0.0004,
            "l2": 0.015,
            "discriminator_weight": 0.25,
            "smoothness": 0.1,
            "natural_l2": 0.0,
            "spectrum": 0.25,
            "spectrum_floor": 0.0,
            "colour_correlation": 0.8,
            "jitter": 16,
            **NO_VIEWS,
            **NO_SCHEDULE,
            "window": 0,
        },
        SIDE,
        {
            "step_size": 0.1,
            "temperature": 0.01,
            "l2": 0.0,
            "discriminator_weight": 0.75,
            "smoothness": 0.05,
            "spectrum": 0.0,
            "jitter": 1,
        },
        {
            "step_size": 0.1,
            "temperature": 0.001,
            "l2": 0.0,
            "discriminator_weight": 0.5,
            "smoothness": 0.05,
            "spectrum": 0.25,
            "colour_correlation": 0.5,
            "jitter": 2,
        },
    ),
    Preset(
        "explore",
        "Explore",
        "A high temperature without clamping: the chains wander from one image to the next, and "
        "show how different the images are to which the neuron alone responds.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": False,
            "step_size": 0.1,
            "temperature": 0.05,
            "l2": 0.3,
            "discriminator_weight": 0.0,
            "smoothness": 0.1,
            "natural_l2": 0.0,
            "spectrum": 0.0,
            "spectrum_floor": 0.0,
            "colour_correlation": 0.0,
            "jitter": 4,
            **NO_VIEWS,
            **NO_SCHEDULE,
            "window": 50,
        },
        SIDE,
    ),
)
"""The presets that come with the program, by name; each sets the same settings."""


def find_preset(name: str, presets: Mapping[str, Preset] = PRESETS) -> Preset:
    """Return the preset called `name`, ignoring case; `StudioError` lists the known names."""
    wanted = name.strip().casefold()
    for preset in presets.values():
        if preset.name.casefold() == wanted:
            return preset
    raise StudioError(f"There is no preset {name!r}; there are {', '.join(presets)}.")
