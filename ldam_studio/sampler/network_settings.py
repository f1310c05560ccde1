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
)
