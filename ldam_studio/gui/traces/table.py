"""The values of a run as a table for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldam_studio import __version__
from ldam_studio.engine.comparison import lane_name
from ldam_studio.export.figure import settings_words
from ldam_studio.export.trace_table import Column, Table
from ldam_studio.gui.traces.run import ACTIVATION, QUANTITIES
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.gui.traces.history import View
    from ldam_studio.gui.traces.run import Run

NAMES = ("activation", "probability real", "change of average", "acceptance")
UNITS = (
    "in the neuron's own units, of the image before the step",
    "the discriminator's probability that the image is real, from 0 to 1",
    "root mean square over the pixels by which the step's sample moved the average, in pixel units",
    "1 where the kernel accepted the step, 0 where it rejected it",
)
REAL = "probability real of real images"


def table_of(run: Run, outline: Outline, *, whole: bool) -> Table:
    """Return a copy of a run's values: of the whole run, or of the steps kept one by one."""
    views = [kept.view(whole) for kept in run.lanes]
    steps = views[0].steps.copy()
    columns = []
    for lane, view in enumerate(views):
        before = f"{lane_name(lane)} " if len(views) > 1 else ""
        for which in range(QUANTITIES):
            if np.isfinite(view.high[:, which]).any():
                name = run.objectives[lane] if which == ACTIVATION else NAMES[which]
                columns.append(Column(f"{before}{name}", _values(view, which)))
    real = run.real.view(False)
    if not whole and np.isfinite(real.mean).any():
        values = np.full((len(steps), 1), np.nan, np.float32)
        known = np.isin(real.steps, steps)
        values[np.searchsorted(steps, real.steps[known])] = real.mean[known]
        columns.append(Column(REAL, values, of_chains=False))
    return Table(steps, tuple(columns), tuple(_about(run, outline, steps, whole=whole)))


def _values(view: View, which: int) -> np.ndarray:
    """Return a quantity as (rows, chains), or as (3, rows, chains) where rows join steps."""
    low, mean, high = (part[:, which] for part in view[1:])
    joined = len(view.steps) > 1 and bool((np.diff(view.steps) > 1).any())
    return np.stack([low, mean, high]) if joined else mean.copy()


def _about(run: Run, outline: Outline, steps: np.ndarray, *, whole: bool) -> list[str]:
    lines = [f"LDAM Studio {__version__}, traces up to step {run.last}, seed {outline.seed}"]
    width = run.lanes[0].whole.width
    if whole and width > 1:
        lines.append(f"each row is of {width} steps, of which step is the first")
    for name, unit in zip(NAMES, UNITS, strict=True):
        lines.append(f"{name}: {unit}")
    for number, lane in enumerate(outline.lanes):
        before = f"{lane_name(number)}: " if len(outline.lanes) > 1 else ""
        sha256 = lane.network.provenance.sha256
        lines.append(f"{before}network {short_name(lane.network.name)}, weights {sha256}")
        lines.append(f"{before}settings at the end: {settings_words(lane.settings)}")
        for chain, neuron in enumerate(lane.neurons):
            lines.append(
                f"{before}chain {chain + 1}: {neuron}, called {lane.network.label(neuron)}"
            )
    lines += [f"step {step}: {text}" for step, text in run.marks()]
    return lines
