"""What changes with kept modes mean for the outline of a session; see `engine.kept_modes`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import chosen
from ldam_studio.engine.kept_modes import FORMER, MODE, KeptMode, origin_of
from ldam_studio.engine.kept_pictures import PictureNote, with_note
from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline


def keep_mode(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Keep the mean of some chains' averages as a picture."""
    wanted: KeptMode = change.value
    lane = outline.lanes[numbers[0]]
    chains = chosen(wanted.chains, outline.chains, "average")
    neurons = {lane.neurons[chain] for chain in chains}
    if len(neurons) > 1:
        raise StudioError(
            f"The chains to average show {len(neurons)} neurons, but a mode is one image of a "
            "single neuron; choose chains of one neuron."
        )
    note = PictureNote(wanted.title, origin_of(neurons.pop()), lane.network.pixels.shape)
    return replace(outline, pictures=with_note(outline, note))


def forget_mode(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Let a kept mode be an ordinary picture again."""
    number, kept = change.value, outline.pictures
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not whole or not 0 <= number < len(kept) or not kept[number].origin.startswith(MODE):
        raise StudioError(f"There is no kept mode {number!r} to forget; choose one of the gallery.")
    former = replace(kept[number], origin=former_origin(kept[number].origin))
    return replace(outline, pictures=(*kept[:number], former, *kept[number + 1 :]))


def former_origin(origin: str) -> str:
    """Return the origin of a kept mode once it was forgotten."""
    return FORMER + origin.removeprefix(MODE)
