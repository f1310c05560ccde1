"""Kept modes: pictures of a session that are averages of chains, from which others are pushed away.

A kept mode is a kept picture (`engine.kept_pictures`) whose origin names its neuron. Two changes
make and unmake one (`engine.changes.modes`):

- ``Change("keep_mode", KeptMode(chains, title))`` keeps the mean of some chains' averages. It is
  computed from the state, so that the log needs no data. (What the window remembers of chains that
  have gone on is kept by ``Change("picture", ...)``, with the same origin; the log has its hash,
  and a recipe its values.)
- ``Change("forget_mode", number)`` lets a kept mode be an ordinary picture again.

The setting *Repulsion* pushes the chains of a neuron away from its kept modes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from msgspec import Struct
from torch import Tensor

from ldam_studio.engine.description import Kept, Text
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.repelling import Repelling, directions_of

if TYPE_CHECKING:
    from ldam_studio.engine.state import Lane, SessionState

MODE = "mode of "
"""How the origin of a kept mode begins; the address of its neuron follows."""
FORMER = "former mode of "
"""The same for a mode that was forgotten."""


class KeptMode(Struct, frozen=True):
    """Chains of one neuron whose averages make one picture, in ascending order, and its title."""

    chains: Kept
    title: Text


class _Kept(Protocol):
    @property
    def origin(self) -> str: ...


def origin_of(neuron: Neuron) -> str:
    """Return the origin of a kept mode of a neuron."""
    return f"{MODE}{neuron}"


def modes_of(pictures: Sequence[_Kept], neuron: Neuron) -> tuple[int, ...]:
    """Return the numbers of the kept modes of a neuron, among kept pictures or their notes."""
    return tuple(n for n, kept in enumerate(pictures) if kept.origin == origin_of(neuron))


def repels(lane: Lane) -> bool:
    """Return whether the setting *Repulsion* is on for any chain of a lane."""
    weight = lane.settings.repulsion
    return any(weight) if isinstance(weight, tuple) else weight > 0


def repelling_of(state: SessionState, lane: Lane) -> Repelling | None:
    """Return the kept modes from which the chains of a lane are pushed away; None without any."""
    if not repels(lane):
        return None
    # Of another network that the session had before, a neuron of the same address may have some.
    shape, kept = lane.network.pixels.shape, state.pictures
    found = {
        neuron: tuple(n for n in modes_of(kept, neuron) if kept[n].shape == shape)
        for neuron in dict.fromkeys(lane.neurons)
    }
    numbers = sorted({number for each in found.values() for number in each})
    pixels, name = lane.sized.pixels, state.device.name
    if not numbers:
        return None
    shown = torch.stack(
        [state.pictures[n].at((pixels.height, pixels.width), name) for n in numbers]
    )
    near = torch.tensor([[float(n in found[neuron]) for n in numbers] for neuron in lane.neurons])
    whose = {number: chain for chain, each in enumerate(lane.neurons) for number in found[each]}
    window = _window(lane)
    of_pictures = None if window is None else window[[whose[number] for number in numbers]]
    rest = lane.network.pixels.rest
    return Repelling(directions_of(shown, rest, of_pictures), near.to(name), rest, window)


def _window(lane: Lane) -> Tensor | None:
    """Return 1 inside the receptive field of each chain's neuron, else 0; None: all see all."""
    fields, x = lane.targets.fields, lane.chains.x
    if not any(fields):
        return None
    window = x.new_zeros((len(x), 1, *x.shape[2:]))
    for chain, field in enumerate(fields):
        top, left, bottom, right = field or (0, 0, *x.shape[2:])
        window[chain, :, top:bottom, left:right] = 1
    return window
