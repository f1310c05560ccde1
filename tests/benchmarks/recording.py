"""The start session while it is recorded: speed, frames and heartbeat, in turns with none."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch
from row import Row
from window import observe, process_until

from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.recorder.choice import LastRecording, RecordingChoice, usual_steps
from ldam_studio.gui.recorder.feature import Recordings
from ldam_studio.gui.session.openings import start
from ldam_studio.gui.window.window import StudioWindow

ROUNDS, SECONDS = 3, 2.0
SUFFIXES = (".webp", ".png", ".gif", ".mp4")


def measure() -> list[Row]:
    """Let the studio run in turns without and with a recording in each format."""
    torch.set_num_threads(1)
    device = choose("cpu", threads=1)
    app = make_application()
    window = StudioWindow(device)
    window.open(start(device))
    window.show()
    process_until(lambda: window.last_frame is not None and window.last_frame.step > 20)
    process_until(lambda: window.has_all_features)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            rows += _rows(window, Path(folder), suffix)
        window.close()  # which finishes the last file
        app.processEvents()
    return rows


def _rows(window: StudioWindow, folder: Path, suffix: str) -> list[Row]:
    """Return the rows of one format."""
    recorder, last = window.feature(Recordings), LastRecording()
    lateness: list[float] = []
    ratios, rates, shown, left_out, taken = [], [], [], 0, 0
    for number in range(ROUNDS):
        without, usual = observe(window, [], SECONDS)
        every = usual_steps(without, last.rate)
        path = folder / f"{number}{suffix}"
        recorder.start(
            RecordingChoice(last.what, last.height, last.rate, every, False, last.texts, path)
        )
        recording = recorder.recording
        assert recording is not None
        steps, frames = observe(window, lateness, SECONDS)
        recorder.stop()
        ratios.append(steps / without)
        shown.append(frames)
        rates.append(frames / usual)
        taken += recording.frames
        left_out += recording.left_out
    name = f"recorded to {suffix}"
    return [
        Row(f"{name}, frames/s shown", median(shown), ">= 20"),
        Row(f"{name}, frames/s shown with / without", median(rates)),
        Row(f"{name}, steps/s with / without", median(ratios), ">= 0.5"),
        Row(f"{name}, share of frames left out", left_out / max(1, taken), "<= 0.01"),
        Row(f"{name}, heartbeat p99, ms", float(np.percentile(lateness, 99)), "<= 50"),
    ]
