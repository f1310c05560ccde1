"""The status bar says how the sampler runs, also after it has switched."""

from __future__ import annotations

import pytest

from gui.windows import until
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.gui.frame_words import device_words
from ldam_studio.networks.plan import Plan


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (Device(), "CPU, 1 thread"),
        (Device("cpu", "bfloat16", 2), "CPU bfloat16, 2 threads"),
        (Device("cuda", "bfloat16"), "CUDA bfloat16"),
        (
            Device().with_plan(Plan("bfloat16", 3, "channels_last")),
            "CPU bfloat16, channels last, 3 threads",
        ),
        (
            Device().with_plan(Plan(layout="contiguous", folded=False)),
            "CPU float32, contiguous, torch's first layers, norms not folded, 1 thread",
        ),
    ],
)
def test_a_device_and_its_plan_in_words(device, words):
    assert device_words(device) == words


def test_the_status_bar_follows_a_switch(studio, qtbot):
    bar = studio.statusBar()
    assert bar.text("device") == "CPU, 1 thread"
    studio.controller.make(Change("plan", Plan("bfloat16", layout="channels_last")), "plan")
    until(qtbot, lambda: bar.text("device") == "CPU bfloat16, channels last, 1 thread")
