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
"""Pixels along the shorter side of the images for which `PRESETS` were chosen."""
MULTIPLE = 32
"""Start resolutions are multiples of this number of pixels, which suits most networks."""
PHOTOGRAPH = 64
"""Pixels along the shorter side from which on RGB images count as photographs."""


LEAST_RGB = 24
"""Pixels along the shorter side from which on RGB images have the values for CIFAR-10's size."""


def is_large(shape: Sequence[int]) -> bool:
    """Return whether images of ``shape``, (C, H, W), have the size of photographs."""
    return min(shape[1:]) >= PHOTOGRAPH


def is_photograph(shape: Sequence[int]) -> bool:
    """Return whether images of ``shape``, (C, H, W), can be photographs: large, and in colours.

    Spectrograms, scans and other images with another number of channels are none.
    """
    return shape[0] == 3 and is_large(shape)


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
        Pixels along the shorter side of the images for which jitter and start resolution were
        chosen; they are scaled in proportion for other images. None for no scaling.
    small
        Values that differ for images smaller than photographs.
    grey
        Values that differ further for grey ones (digits), with a discriminator.
    coloured
        Values that differ further for RGB images of at least `LEAST_RGB` pixels, for which there is
        a denoiser.
    other
        Values that differ for images of the size of photographs that are none, such as
        spectrograms, of which a turned or mirrored one is not another of the same class.
    """

    name: str
    label: str
    help: str
    settings: Mapping[str, Any]
    side: int | None = None
    small: Mapping[str, Any] = field(default_factory=dict)
    grey: Mapping[str, Any] = field(default_factory=dict)
    coloured: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

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
        values = dict(self.settings)
        if is_large(shape):
            if not is_photograph(shape):
                values |= self.other
        else:
            values |= self.small
            if discriminator and shape[0] == 1:
                values |= self.grey
            if shape[0] == 3 and min(shape[1:]) >= LEAST_RGB:
                values |= self.coloured
        if not discriminator and "discriminator_weight" in values:
            values["discriminator_weight"] = 0.0
        return values if self.side is None else values | _scaled(values, min(shape[1:]) / self.side)


def _scaled(values: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return the values in pixels, for an image that is larger by this factor."""
    scaled = {}
    if "jitter" in values:
        scaled["jitter"] = round(values["jitter"] * factor)
    if values.get("resolution_start"):
        scaled["resolution_start"] = MULTIPLE * max(
            1, round(values["resolution_start"] * factor / MULTIPLE)
        )
    return scaled


CLOUDY: Mapping[str, Any] = {"start_spectrum": 1.0, "start_spread": 0.17}
"""Start settings that lead to more different images on small photographs; no preset changes
starts."""


NO_VIEWS: Mapping[str, Any] = {
    "view_zoom": 1.0,
    "view_rotation": 0.0,
    "view_flip": False,
    "view_size": 1.0,
    "views_of": "image",
    "views": 1,
}
"""Settings without views other than jitter."""

NO_SCHEDULE: Mapping[str, Any] = {
    "schedule_shape": "once",
    "schedule": 0,
    "schedule_course": "geometric",
    "step_size_start": 0.0,
    "temperature_start": 0.0,
    "discriminator_weight_start": "auto",
    "denoiser_noise_start": 0.0,
    "resolution": 0,
    "resolution_start": 0,
    "coarse_share": 0.5,
}
"""Settings without a schedule, at the network's own resolution."""

NO_PRIOR: Mapping[str, Any] = {
    "denoiser_weight": 0.0,
    "denoiser_noise": 0.1,
    "denoiser_every": 4,
}
"""Settings without the denoiser."""


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
        "samples of jittered images; for digits those of its Figure 1.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.05,
            "temperature": 0.0005,
            "l2": 0.05,
            "discriminator_weight": 0.25,
            "smoothness": 0.0,
            "natural_l2": 0.0,
            "spectrum": 0.0,
            "spectrum_floor": 0.0,
            "colour_correlation": 0.0,
            "jitter": 16,
            **NO_VIEWS,
            "views_of": "field",
            **NO_SCHEDULE,
            **NO_PRIOR,
            "window": 200,
        },
        SIDE,
        small={"temperature": 0.002, "discriminator_weight": 0.75, "jitter": 0},
        grey={"step_size": 0.1, "temperature": 0.01, "l2": 0.0, "discriminator_weight": 0.8},
    ),
    Preset(
        "clean",
        "Clean",
        "Pictures that are as easy to recognise as possible. On photographs a schedule finds the "
        "coarse shape first; the class must stand out from all others in random views, in images "
        "with the statistics of photographs and with a little of the denoiser.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.01,
            "temperature": 0.0004,
            "l2": 0.0,
            "discriminator_weight": 0.0,
            "smoothness": 0.1,
            "natural_l2": 0.1,
            "spectrum": 0.5,
            "spectrum_floor": 5.0,
            "colour_correlation": 0.85,
            "jitter": 16,
            "view_zoom": 1.25,
            "view_rotation": 10.0,
            "view_flip": True,
            "view_size": 0.57,
            "views_of": "field",
            "views": 1,
            **NO_SCHEDULE,
            "schedule": 100,
            "step_size_start": 0.2,
            "resolution_start": 128,
            "denoiser_noise_start": 0.2,
            **NO_PRIOR,
            "denoiser_weight": 0.1,
            "denoiser_noise": 0.06,
            "window": 24,
            "objective": "mix",
            "photo_statistics": 0.3,
        },
        SIDE,
        small={
            "step_size": 0.15,
            "l2": 0.015,
            "natural_l2": 0.0,
            "spectrum": 0.25,
            "spectrum_floor": 0.0,
            "colour_correlation": 0.8,
            **NO_VIEWS,
            "views_of": "field",
            **NO_SCHEDULE,
            **NO_PRIOR,
            "window": 0,
            "objective": "activation",
            "photo_statistics": 0.0,
        },
        grey={
            "step_size": 0.1,
            "temperature": 0.01,
            "l2": 0.0,
            "discriminator_weight": 0.75,
            "smoothness": 0.05,
            "spectrum": 0.0,
            "jitter": 7,
        },
        coloured={
            "step_size": 0.02,
            "step_size_start": 0.1,
            "temperature": 0.0001,
            "l2": 0.0,
            "smoothness": 0.05,
            "colour_correlation": 0.5,
            "jitter": 14,
            "photo_statistics": 0.5,
            "denoiser_weight": 1.0,
            "denoiser_noise": 0.05,
            "denoiser_noise_start": 0.5,
            "denoiser_every": 1,
            "window": 24,
        },
        other={"view_rotation": 0.0, "view_flip": False, "photo_statistics": 0.0},
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
            **NO_PRIOR,
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
