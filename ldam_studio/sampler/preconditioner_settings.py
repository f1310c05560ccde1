"""The settings of the preconditioner (see `sampler.preconditioner`); fields of `Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import setting

SPECTRUM = setting(
    "Broad features first",
    0.0,
    "How much more a step changes broad features than fine ones: 0 treats all alike, 1 follows "
    "the proportions in photographs. It changes the path of a chain; in exact mode and without "
    "Natural L2 weight it does not change which images the chain samples.",
    bounds=(0, 2),
    unsettles=True,
    group="image",
)
FLOOR = setting(
    "Broadest features",
    0.0,
    "The limit of Broad features first: features broader than this, in cycles per image, are "
    "treated alike, so that shapes change as much as the shading of the whole image. 0 sets no "
    "limit.",
    bounds=(0, 1_000),
    slider=(0, 20),
    unit="cycles",
    unsettles=True,
    group="image",
)
COLOUR_CORRELATION = setting(
    "Brightness before hue",
    0.0,
    "How much more a step changes brightness than hue: 0 treats the colour channels "
    "independently; in photographs they vary together. Like Broad features first, it changes "
    "only the path of a chain.",
    bounds=(0, 0.99),
    slider=(0, 0.99),
    unsettles=True,
    group="image",
)
NATURAL_L2 = setting(
    "Natural L2 weight",
    0.0,
    "How strongly the image is pulled back to the rest colour, like the L2 weight, but so that all "
    "features return at the same pace: features that Broad features first and Brightness before "
    "hue favour are pulled less than the others. If both are 0, this is the same as the L2 weight.",
    scale="log",
    bounds=(0, 1_000),
    slider=(1e-3, 10),
    zero=True,
    per_chain=True,
    unsettles=True,
    group="image",
)
