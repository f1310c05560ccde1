"""The preset Clean of version 0.1.0, for comparisons and for the training of discriminators."""

from __future__ import annotations

from ldam_studio.sampler.presets import CLOUDY, NO_PRIOR, NO_SCHEDULE, NO_VIEWS, SIDE, Preset
from ldam_studio.sampler.settings import Settings

FORMER_CLEAN = Preset(
    "clean-0.1.0",
    "Clean of version 0.1.0",
    "For photographs.",
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
        **NO_PRIOR,
        "window": 0,
        "objective": "activation",
        "photo_statistics": 0.0,
    },
    SIDE,
)

FORMER_COLOUR = Settings.of(
    **CLOUDY,
    **{
        **FORMER_CLEAN.settings,
        "step_size": 0.1,
        "temperature": 0.001,
        "l2": 0.0,
        "discriminator_weight": 0.5,
        "smoothness": 0.05,
        "colour_correlation": 0.5,
        "jitter": 2,
    },
)
"""The same for CIFAR-10, for the paper's figures; the discriminator has learned from such chains.

Without smoothness, jitter and the spectrum of photographs, fine noise satisfies a VGG, although
neither a person nor another network recognises anything in it."""
