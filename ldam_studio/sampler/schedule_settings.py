"""The settings of a schedule (see `sampler.schedule`); they are fields of `settings.Settings`."""

from __future__ import annotations

from typing import Any

from ldam_studio.sampler.denoiser_settings import LEAST_NOISE, MOST_NOISE
from ldam_studio.sampler.setting import Scale, setting

ONCE, CYCLES, CURVES = "once", "cycles", "curves"
GEOMETRIC, COSINE = "geometric", "cosine"
EACH, ALL = "each", "all"
AUTO = "auto"
LEAST_STEP = 1e-6
"""The smallest step size."""

MOST_SIDE = 1_024
"""Pixels. The window takes more than .05 s to draw larger images, and networks keep the layers of
all sizes of views up to here (`networks.sizes.MOST_SIDES`)."""

SHAPE = setting(
    "Shape",
    ONCE,
    "once: settings go from their start values to their own values and stay there. cycles: they do "
    "so again and again; each warm restart lets chains cross to another image, and the cold end of "
    "the cycle cleans it. curves: settings follow the curves that are drawn below.",
    scale="choice",
    choices=(ONCE, CYCLES, CURVES),
    group="schedule",
)
SCHEDULE = setting(
    "Schedule",
    0,
    "The number of steps over which step size, temperature, discriminator weight, the denoiser's "
    "noise level and resolution go from their start values to their own values; with the shape "
    "cycles, that of the first cycle. It begins when the chains start; Restart, and another "
    "neuron, run the schedule again. Moving a slider while the schedule runs takes its setting out "
    "of it. 0 means no schedule; curves have steps of their own.",
    scale="count",
    bounds=(0, 1_000_000),
    slider=(0, 1_000),
    unit="steps",
    group="schedule",
)
COURSE = setting(
    "Course",
    GEOMETRIC,
    "geometric: each step multiplies a value by the same number, or moves it in equal steps if it "
    "ends at 0. cosine: the value stays near its start for a while, then falls and stays near its "
    "end, as in the papers on warm restarts.",
    scale="choice",
    choices=(GEOMETRIC, COSINE),
    group="schedule",
)
CYCLE_GROWTH = setting(
    "Longer cycles",
    1.0,
    "How many times as long as the cycle before it each cycle is.",
    bounds=(1, 4),
    slider=(1, 2),
    unit="×",
    group="schedule",
)
CYCLE_SAMPLED = setting(
    "Averaged share of a cycle",
    0.5,
    "The share of each cycle, at its cold end, whose samples count. Those from its hot beginning "
    "do not belong to an image.",
    bounds=(0.01, 1),
    slider=(0.01, 1),
    group="schedule",
)
AVERAGE_CYCLES = setting(
    "Averaged cycles",
    EACH,
    "each: the average begins anew in each cycle, so that it shows the image that the cycle found. "
    "all: it goes on over all cycles, and mixes their images.",
    scale="choice",
    choices=(EACH, ALL),
    group="schedule",
)
STEP_SIZE_START = setting(
    "Step size at the start",
    0.0,
    "The step size with which a schedule begins; it falls or rises to Step size. "
    "Large steps find the picture, small ones clean it. 0 leaves the step size as it is.",
    scale="log",
    bounds=(0, 10),
    gap=LEAST_STEP,
    slider=(1e-3, 1),
    zero=True,
    group="schedule",
)
TEMPERATURE_START = setting(
    "Temperature at the start",
    0.0,
    "The temperature with which a schedule begins; it falls or rises to Temperature. 0 leaves the "
    "temperature as it is.",
    scale="log",
    bounds=(0, 1_000),
    slider=(1e-4, 10),
    zero=True,
    group="schedule",
)
DISCRIMINATOR_WEIGHT_START = setting(
    "Discriminator at the start",
    AUTO,
    "The discriminator weight with which a schedule begins; it goes in equal steps to "
    "Discriminator weight. At 0 the neuron draws first, and the discriminator judges later. auto "
    "leaves the weight as it is.",
    auto=True,
    group="schedule",
)
DENOISER_NOISE_START = setting(
    "Denoiser noise at the start",
    0.0,
    "The noise level with which a schedule begins; it falls or rises to Denoiser "
    "noise. High levels shape large structures first, low levels clean them. 0 leaves the "
    "noise level as it is.",
    scale="log",
    bounds=(0, MOST_NOISE),
    gap=LEAST_NOISE,
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
    "The share of the schedule's or cycle's steps at Resolution at the start. Averages start again "
    "when the resolution changes.",
    group="schedule",
)


def _curve(label: str, bounds: tuple[float, float], of_points: Scale, **slider: Any) -> Any:
    ways = {
        "log": "geometrically, or in equal steps from or to 0",
        "linear": "in equal steps",
        "count": "at once",
    }
    return setting(
        f"{label} curve",
        "",
        f"{label} over the steps with the shape curves: points such as 0:1, 40:0.2, 100:0.01, each "
        f"a step and the value at it. From point to point the value changes {ways[of_points]}; "
        "after the last one it stays. Empty leaves the setting as it is.",
        scale="curve",
        bounds=bounds,
        of_points=of_points,
        group="schedule",
        **slider,
    )


STEP_SIZE_CURVE = _curve("Step size", (LEAST_STEP, 10), "log", slider=(1e-3, 1))
TEMPERATURE_CURVE = _curve("Temperature", (0, 1_000), "log", slider=(1e-4, 10), zero=True)
DISCRIMINATOR_WEIGHT_CURVE = _curve("Discriminator weight", (0, 1), "linear")
DENOISER_NOISE_CURVE = _curve(
    "Denoiser noise", (LEAST_NOISE, MOST_NOISE), "log", slider=(LEAST_NOISE, MOST_NOISE)
)
RESOLUTION_CURVE = _curve("Resolution", (0, MOST_SIDE), "count", slider=(0, 512))
