"""Drawing one neuron of a contact sheet: a session of its own, until its picture has converged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ldam_studio.engine.advance import ChainsExploded, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import open_session
from ldam_studio.engine.silent_neurons import dead_neurons
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.rows import SheetRow
from ldam_studio.explore.sheets.settling import EVERY, Settling, agreement, best_chain
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.networks.neurons import Neuron

UNFINISHED = ("reset_average", "unfinished")


@dataclass(frozen=True)
class Drawn:
    """The session of one neuron as its chains stopped, and what there is to say of it."""

    state: SessionState
    row: SheetRow


def draw(spec: SheetSpec, neuron: Neuron, on_step: Callable[[], object]) -> Drawn:
    """Run the chains of one neuron until its picture has converged, or to the last step.

    As in ``render``, averages that are not burned in begin anew after half of the steps, so that
    they show the last half.

    Parameters
    ----------
    on_step
        Called before each step; what it raises ends the work.

    Raises
    ------
    StudioError
        If the session cannot be opened, or a chain explodes.
    """
    state = open_session(spec.session(neuron))
    settling, converged = Settling(), False
    half = half_of(spec)
    while state.step < spec.steps and not converged:
        on_step()
        try:
            state, info = advance(state, [Change(*UNFINISHED)] if state.step == half else ())
        except ChainsExploded as error:
            raise StudioError(f"{neuron}: {error}") from None
        if info.refused:
            raise StudioError(info.refused[0])
        if state.step % EVERY == 0:
            converged = settling.look(state)
    return Drawn(state, sheet_row(state, neuron, converged=converged))


def half_of(spec: SheetSpec) -> int | None:
    """Return the step before which unfinished averages begin anew; None if that left no sample."""
    half, thin = spec.steps // 2, spec.settings.thin
    return half if spec.steps // thin * thin > half else None


def shared_state(spec: SheetSpec) -> SessionState:
    """Return a session as each neuron's begins, at the last step that any may reach.

    Its log is that of a neuron that took all steps. It is for the recipe of the whole sheet.
    """
    state = open_session(spec.session(spec.neurons[0]))
    half = half_of(spec)
    state.log = [] if half is None else [LogEntry(half, *UNFINISHED)]
    state.step = spec.steps
    return state


@torch.no_grad()
def sheet_row(state: SessionState, neuron: Neuron, *, converged: bool) -> SheetRow:
    """Return what there is to say of a neuron whose chains stopped."""
    lane = state.lane
    chain = best_chain(lane)
    own = lane.sized.seen_from(lane.network, (neuron,))
    mean = lane.shown_average().mean[chain][None]
    value = float(lane.sized.activation(mean, lane.sized.units(own)).nan_to_num())
    # The average may excite a neuron that is silent on each of the noisy samples.
    silent = value == 0 and bool(dead_neurons(lane.waking, lane.neurons))
    return SheetRow(
        neuron=str(neuron),
        label=lane.network.label(neuron)[:1000],
        activation=value,
        converged=converged and not silent,
        silent=silent,
        steps=state.step,
        chain=chain,
        agreement=agreement(lane),
    )
