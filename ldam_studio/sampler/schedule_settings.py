"""The settings of a schedule (see `sampler.schedule`); they are fields of `settings.Settings`."""

from __future__ import annotations

from ldam_studio.sampler.denoiser_settings import LEAST_NOISE, MOST_NOISE
from ldam_studio.sampler.setting import setting

MOST_SIDE = 1_024
"""Pixels. The window takes more than .05 s to draw larger images, and networks keep the layers of
all sizes of views up to here (`networks.sizes.MOST_SIDES`)."""

SCHEDULE = setting(
    "Schedule",
    0,
    "The number of steps after the chains' start over which step size, temperature, the denoiser's "
    "noise level and resolution go from their start values to their own values, where they stay. "
    "Restart, and another neuron, run the schedule again. Moving a slider while the schedule runs "
    "takes its setting out of it. 0 means no schedule.",
    scale="count",
    bounds=(0, 1_000_000),
    slider=(0, 1_000),
    unit="steps",
    group="schedule",
)
STEP_SIZE_START = setting(
    "Step size at the start",
    0.0,
    "The step size with which a schedule begins; it falls or rises geometrically to Step size. "
    "Large steps find the picture, small ones clean it. 0 leaves the step size as it is.",
    scale="log",
    bounds=(0, 10),
    slider=(1e-3, 1),
    zero=True,
    group="schedule",
)
TEMPERATURE_START = setting(
    "Temperature at the start",
    0.0,
    "The temperature with which a schedule begins; it falls or rises geometrically to Temperature, "
    "or in equal steps if that is 0. 0 leaves the temperature as it is.",
    scale="log",
    bounds=(0, 1_000),
    slider=(1e-4, 10),
    zero=True,
    group="schedule",
)
DENOISER_NOISE_START = setting(
    "Denoiser noise at the start",
    0.0,
    "The noise level with which a schedule begins; it falls or rises geometrically to Denoiser "
    "noise. High levels shape large structures first, low levels clean them. 0 leaves the "
    "noise level as it is.",
    scale="log",
    bounds=(0, MOST_NOISE),
    slider=(LEAST_NOISE, MOST_NOISE),
    zero=True,
    group="schedule",
)
RESOLUTION = setting(
    "Resolution",
    0,
    "The number of pixels along the shorter side of the chains' images. The network sees images of "
    "this size, and receptive fields follow; pictures are kept. 0 is the network's own size. "
    "Networks that take images of one size only ignore it.",
    scale="count",
    bounds=(0, MOST_SIDE),
    slider=(0, 512),
    unit="pixels",
    unsettles=True,
    group="schedule",
)
RESOLUTION_START = setting(
    "Resolution at the start",
    0,
    "The number of pixels along the shorter side of the chains' images with which a schedule "
    "begins. Few pixels let the coarse shape form first, and their steps are fast. 0 leaves the "
    "resolution as it is.",
    scale="count",
    bounds=(0, MOST_SIDE),
    slider=(0, 512),
    unit="pixels",
    group="schedule",
)
COARSE_SHARE = setting(
    "Share at the start resolution",
    0.5,
    "The share of the schedule's steps at Resolution at the start. Averages start again when the "
    "resolution changes.",
    group="schedule",
)
