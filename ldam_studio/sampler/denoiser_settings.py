"""The settings of the denoiser (see `sampler.terms.denoiser`); they are fields of `Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import setting

LEAST_NOISE, MOST_NOISE = 0.02, 0.6
"""The noise levels for which the denoiser is trained: standard deviations in pixel units."""

WEIGHT = setting(
    "Denoiser weight",
    0.0,
    "How strongly images are pulled towards photographs by a network that removes noise from them. "
    "Little of it smooths pixels, much of it also shapes large structures. It needs RGB images of "
    "at least 24 pixels; below 64 pixels the photographs are CIFAR-10's. It has no effect on other "
    "images, nor with the kernel mala, which would need the density itself.",
    scale="log",
    bounds=(0, 1_000),
    slider=(0.01, 10),
    zero=True,
    group="sampler",
    per_chain=True,
    unsettles=True,
)
NOISE = setting(
    "Denoiser noise",
    0.1,
    "How much noise the denoiser takes an image to have, as the standard deviation of its pixels. "
    "High levels shape large structures, low levels fine ones.",
    scale="log",
    bounds=(LEAST_NOISE, MOST_NOISE),
    slider=(LEAST_NOISE, MOST_NOISE),
    per_chain=True,
    unsettles=True,
    group="image",
)
EVERY = setting(
    "Denoiser every",
    4,
    "The denoiser is used in one step of this many, and that many times as strongly, which takes "
    "less time and has the same effect on average.",
    scale="count",
    bounds=(1, 1_000),
    slider=(1, 16),
    unit="steps",
    unsettles=True,
    group="image",
)
