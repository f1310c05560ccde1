"""Sampling a session without a window, and writing the files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.commands.shared.interrupt import interruptible
from ldam_studio.commands.shared.progress import progress
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.explore.agreement.neurons import NeuronVerdict, verdicts_of
from ldam_studio.export.arrays import arrays_of, npz, values_of
from ldam_studio.export.exporting import draft
from ldam_studio.export.shown import Shown

REDRAW_S = 0.1
"""Seconds between two updates of the progress bar."""


@dataclass
class Rendered:
    """A session after its steps.

    Attributes
    ----------
    state
        The session.
    activation
        One (chains,) tensor for each step, for the pixels before it; empty unless kept.
    seconds
        Time that the steps took.
    interrupted
        Whether Ctrl-C was pressed.
    began_anew
        Whether averages of chains that were not burned in were reset at half time.
    agreement
        Whether the chains of each neuron of the first network agree.
    """

    state: SessionState
    activation: list[torch.Tensor]
    seconds: float
    interrupted: bool
    began_anew: bool = False
    agreement: tuple[NeuronVerdict, ...] = ()


def sample(state: SessionState, steps: int, *, keep_activation: bool) -> Rendered:
    """Take `steps` steps, or fewer if Ctrl-C is pressed.

    After half of them, the averages of chains that are not burned in are reset, so that a chain
    that never burns in shows the average of the last half.

    Raises
    ------
    StudioError
        If a chain becomes infinite or NaN.
    """
    activation: list[torch.Tensor] = []
    thin = state.lane.settings.thin
    half = steps // 2
    forget = [Change("reset_average", "unfinished")] if steps // thin * thin > half else []
    recorder = Recorder(wanted=True)
    recorder(state, None)
    with interruptible() as wish, progress() as bar:
        task = bar.add_task("sampling", total=steps)
        began = drawn = time.monotonic()
        while state.step < steps and not wish.stop:
            state, info = advance(state, forget if state.step == half else ())
            recorder(state, info)
            if info.refused:
                raise StudioError(info.refused[0])
            if keep_activation and info.lanes:
                activation.append(info.lanes[0].activation)
            if (now := time.monotonic()) - drawn > REDRAW_S:
                bar.update(task, completed=state.step)
                drawn = now
        seconds = time.monotonic() - began
    began_anew = bool(forget) and state.step > half
    over_time = state.lane.settings.average_over == "time"
    agreement = verdicts_of(recorder.records()[0], over_time=over_time)
    return Rendered(state, activation, seconds, state.step < steps, began_anew, agreement)


def write(
    rendered: Rendered, shown: Shown, folder: Path, suffix: str, *, arrays: bool
) -> dict[str, Path]:
    """Write pictures with this `suffix`, and arrays if requested; return their paths.

    All files are written or none. There is no average if the run was interrupted before the first
    sample.
    """
    state = rendered.state
    pictures = {}
    if all(bool((lane.shown_average().count > 0).all()) for lane in state.lanes):
        pictures["average"] = (folder / f"average{suffix}", shown)
    raw = Shown("strip", display=shown.display, zoom=shown.zoom)
    pictures["raw"] = (folder / f"raw{suffix}", raw)
    paths = {name: path for name, (path, _) in pictures.items()}
    others: dict[Path, bytes] = {}
    if arrays:
        paths["arrays"] = folder / "chains.npz"
        others[paths["arrays"]] = _arrays(rendered)
    made = draft(state, dict(pictures.values()))
    made.write(state, others)
    if (sidecar := made.exported[0].sidecar) is not None:
        paths["sidecar"] = sidecar
    for number, file in enumerate(made.exported[0].weights):
        paths[f"weights {number + 1}" if number else "weights"] = file
    return paths


def _arrays(rendered: Rendered) -> bytes:
    lane = rendered.state.lane
    chains = len(lane.neurons)
    activation = rendered.activation or [torch.empty(0, chains)]
    name = "activation" if lane.objective == "activation" else "objective"
    values = torch.stack(activation).reshape(-1, chains).cpu().numpy()
    return npz(arrays_of(rendered.state) | values_of(rendered.state) | {name: values})
