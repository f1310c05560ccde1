"""Named sets of settings: what belongs together for one purpose.

A preset is nothing but the settings it means: applied, they are ordinary changes, and a recipe
knows of the changes alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ldam_studio.errors import StudioError

SIDE = 224
"""Pixels along the shorter side of the images for which `PRESETS` are chosen."""
PHOTOGRAPH = 64
"""Pixels along the shorter side from which on images are taken for photographs."""


def is_photograph(shape: Sequence[int]) -> bool:
    """Return whether images of ``shape``, (C, H, W), are large enough to be photographs."""
    return min(shape[1:]) >= PHOTOGRAPH


@dataclass(frozen=True)
class Preset:
    """A named set of settings.

    Attributes
    ----------
    name, label, help
        As it is typed, as a menu shows it, and one sentence on what it is for.
    settings
        Values by name (see `settings.SETTINGS`).
    side
        What the jitter was chosen for: pixels along the images' shorter side; it grows and shrinks
        with them. None keeps it as it is.
    small
        Other values for grey images smaller than photographs that have a discriminator: digits.
    coloured
        The same for images of several channels: small photographs.
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
            Of the network's images, (C, H, W).
        discriminator
            Whether there is a discriminator for them; without one its weight is 0, so that the
            neuron's own gradient keeps its full weight.
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
"""Starts from which chains on small photographs end in unlike images; no preset changes starts."""


def _table(*presets: Preset) -> dict[str, Preset]:
    return {preset.name: preset for preset in presets}


PRESETS: dict[str, Preset] = _table(
    Preset(
        "paper",
        "Paper",
        "What the paper does: on photographs a discriminator and L2, averaged over 200 samples; on "
        "digits what it shows in its Figure 1.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.05,
            "temperature": 0.002,
            "l2": 0.05,
            "discriminator_weight": 0.75,
            "smoothness": 0.0,
            "spectrum": 0.0,
            "colour_correlation": 0.0,
            "jitter": 0,
            "window": 200,
        },
        SIDE,
        {"step_size": 0.1, "temperature": 0.01, "l2": 0.0, "discriminator_weight": 0.8},
    ),
    Preset(
        "clean",
        "Clean",
        "Pictures as easy to recognise as they get: broad features and brightness come first, "
        "jitter, smoothness and a little of a discriminator keep out the fine noise that networks "
        "respond to and people do not.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": True,
            "step_size": 0.15,
            "temperature": 0.0004,
            "l2": 0.015,
            "discriminator_weight": 0.25,
            "smoothness": 0.1,
            "spectrum": 0.25,
            "colour_correlation": 0.8,
            "jitter": 16,
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
        "Hot and free: the chains wander from one image to the next, and show the breadth of what "
        "the neuron alone accepts.",
        {
            "mode": "normalised",
            "kernel": "langevin",
            "clamp": False,
            "step_size": 0.1,
            "temperature": 0.05,
            "l2": 0.3,
            "discriminator_weight": 0.0,
            "smoothness": 0.1,
            "spectrum": 0.0,
            "colour_correlation": 0.0,
            "jitter": 4,
            "window": 50,
        },
        SIDE,
    ),
)
"""The presets that come with the program, by name; each sets the same settings."""


def find_preset(name: str, presets: Mapping[str, Preset] = PRESETS) -> Preset:
    """Return the preset called `name`, in capitals or not; `StudioError` names those there are."""
    wanted = name.strip().casefold()
    for preset in presets.values():
        if preset.name.casefold() == wanted:
            return preset
    raise StudioError(f"There is no preset {name!r}; there are {', '.join(presets)}.")
