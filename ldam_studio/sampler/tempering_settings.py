"""The setting of parallel tempering (see `sampler.tempering`); a field of `settings.Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import setting

MOST_RUNGS = 100

TEMPERING = setting(
    "Tempering",
    0,
    "Parallel tempering: so many chains of the same neuron form a ladder of temperatures and "
    "exchange their images. The first has the temperature that is set and is the one that is "
    "averaged; the others are hotter, cross from one kind of image to another and hand it down. "
    "The ladder sets itself so that about 30 % of the exchanges succeed; more rungs reach higher "
    "temperatures. Needs the mode exact. 0 and 1 mean no ladder.",
    scale="count",
    bounds=(0, MOST_RUNGS),
    slider=(0, 32),
    unit="rungs",
    unsettles=True,
)
