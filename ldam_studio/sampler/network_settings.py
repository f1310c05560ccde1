"""The settings of what a network is asked for; they are fields of `settings.Settings`."""

from __future__ import annotations

from ldam_studio.sampler.setting import setting

OBJECTIVE = setting(
    "Objective",
    "activation",
    "What is made large for class neurons, the network's outputs. activation: the output itself. "
    "pre-activation: its value before the rectifier, softmax or sigmoid at the network's end, if "
    "there is one. log-probability: the logarithm of the class's probability, which is large only "
    "if no other class fits. mix: the sum of both. Other neurons always have their activation.",
    scale="choice",
    choices=("activation", "pre-activation", "log-probability", "mix"),
    unsettles=True,
    group="objective",
)
PHOTO_STATISTICS = setting(
    "Photo statistics",
    0.0,
    "How strongly the channels of the network's layers are kept as active, on average and in their "
    "spread over the image, as on photographs. The number is the strength of this pull relative to "
    "that of the neuron. It needs statistics of photographs for the network.",
    bounds=(0, 100),
    slider=(0, 1),
    per_chain=True,
    unsettles=True,
    group="objective",
)
STATISTICS_TOLERANCE = setting(
    "Tolerance of statistics",
    1.0,
    "By how many standard deviations a channel may differ from the average photograph before Photo "
    "statistics pulls it back.",
    bounds=(0, 100),
    slider=(0, 4),
    unsettles=True,
    group="objective",
)
