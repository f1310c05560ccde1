"""The settings of views (see `sampler.views`); they are fields of `settings.Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import setting

JITTER = setting(
    "Jitter",
    0,
    "In each step the network sees the image shifted by a random distance, at most this many "
    "pixels at the network's own size, and in proportion at another resolution. The neuron must "
    "then respond to the picture at every position.",
    scale="count",
    bounds=(0, 1_024),
    slider=(0, 32),
    unit="pixels",
    unsettles=True,
    group="views",
)
ZOOM = setting(
    "Zoom of views",
    1.0,
    "In each step the network sees the image larger or smaller by a random factor, at most this "
    "one: at 1.25 from 0.8 to 1.25. The neuron must then respond to the picture at every size. 1 "
    "leaves the size as it is.",
    bounds=(1, 4),
    slider=(1, 2),
    unsettles=True,
    group="views",
)
ROTATION = setting(
    "Rotation of views",
    0.0,
    "In each step the network sees the image turned to the left or right by a random angle, at "
    "most this one.",
    bounds=(0, 180),
    slider=(0, 45),
    unit="degrees",
    unsettles=True,
    group="views",
)
FLIP = setting(
    "Flip of views",
    False,
    "In each step the network sees the image with left and right exchanged, with probability one "
    "half.",
    scale="flag",
    unsettles=True,
    group="views",
)
SIZE = setting(
    "Smallest size of views",
    1.0,
    "In each step the network sees the image at a random size, from this share of its size to its "
    "full size in steps of 32 pixels: at 0.57 a picture of 224 pixels is seen at 128, 160, 192 or "
    "224. It has an effect only where the neuron sees the whole image and the network takes images "
    "of several sizes. 1 leaves the size as it is.",
    bounds=(0.1, 1),
    slider=(0.1, 1),
    unsettles=True,
    group="views",
)
OF = setting(
    "Views suit",
    "image",
    "image: Jitter is a distance in the image, and all views apply to every neuron. field: views "
    "suit the part of the image that the neuron sees, its receptive field. Jitter is reduced in "
    "the proportion of the field to the image, so that 16 of 224 pixels become 1 pixel for a field "
    "of 14; Zoom, Rotation and Flip apply only if the field is at least a third as wide as the "
    "image, since a small pattern, such as an edge, is another one when it is turned or mirrored.",
    scale="choice",
    choices=("image", "field"),
    unsettles=True,
    group="views",
)
COUNT = setting(
    "Views per step",
    1,
    "The number of random views (Jitter, Zoom, Rotation, Flip, Size) in which the network sees the "
    "image in each step. The step follows the mean of their gradients. With more views it is less "
    "random and takes proportionally longer; the chain always samples the log-density expected "
    "over all views.",
    scale="count",
    bounds=(1, 64),
    slider=(1, 8),
    unit="views",
    unsettles=True,
    group="views",
)
