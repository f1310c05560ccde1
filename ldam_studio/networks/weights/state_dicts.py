"""Finding the weights of a module in the file of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.adapting import adapts, as_torch_loads
from ldam_studio.networks.weights.names import is_bookkeeping, is_of_optimiser
from ldam_studio.networks.weights.readings import (
    Reading,
    entries_under,
    named,
    own_tensors,
    readings,
    under,
)
from ldam_studio.networks.weights.shown import shown

DEEP = 40  # levels of nested dictionaries
MOST_SETS = 6  # that a message names
TRIED = 4  # sets of weights that are loaded into a copy of a module that renames weights itself


@dataclass(frozen=True)
class Match:
    """Weights by a module's names, and those that do not fit.

    Attributes
    ----------
    state
        The tensors that fit in name and shape.
    missing
        Names of the module's weights that the file lacks.
    unexpected
        Names of the file's weights that the module lacks.
    misshapen
        Names of weights whose shapes differ, with both shapes.
    reading
        The set of weights in the file that was taken.
    passed_over
        Names in the file that belong to the training, and not to any network.
    others
        Keys of other sets in the file that fit as well.
    """

    state: dict[str, Tensor]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]
    reading: Reading
    passed_over: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The dotted name of the set of weights in the file; empty at its top level."""
        return self.reading.key

    @property
    def complete(self) -> bool:
        """Whether the weights of file and module are the same, in names and shapes."""
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def fit(self) -> tuple[int, int]:
        """How well it fits, as a sort key."""
        return len(self.state), -len(self.misshapen)


def renamed(
    saved: Mapping[Any, Any], new_name: Callable[[str], str], depth: int = DEEP
) -> dict[Any, Any]:
    """Return a file's content with new names for its tensors."""
    found: dict[Any, Any] = {}
    for key, value in saved.items():
        if isinstance(value, Mapping) and depth:
            value = renamed(value, new_name, depth - 1)
        is_weight = isinstance(key, str) and isinstance(value, Tensor)
        found[new_name(key) if is_weight else key] = value
    return found


def largest_set(saved: Mapping[Any, Any]) -> dict[str, Tensor]:
    """Return the tensors in the dictionary that has most of them; empty if there are none."""
    sets: dict[str, dict[str, Tensor]] = {}
    for place, name, value in named(saved):
        sets.setdefault(place, {})[name] = value
    return max(sets.values(), key=len, default={})


def sets_in(saved: Mapping[Any, Any]) -> list[str]:
    """Return the keys of the dictionaries in a file that have weights, none of an optimiser."""
    found = {
        place[:-1]: None
        for place, name, value in named(saved)
        if place and not is_bookkeeping(name, value) and not is_of_optimiser(place, name)
    }
    return [shown(key) for key in found][:MOST_SETS]


def best_match(
    saved: Mapping[Any, Any], module: nn.Module, source: Path | str, key: str | None = None
) -> Match:
    """Return the set of weights that fits `module` best.

    It may lie in dictionaries and under any prefix. Among equals, plain weights are preferred to a
    moving average of them ("ema"), then the first.

    Parameters
    ----------
    key
        Dotted name of the only set that counts.

    Raises
    ------
    StudioError
        If there are no tensors in `saved` at all, or none under `key`.
    """
    own = own_tensors(module)
    every = named(saved, source)
    everywhere = readings(saved, every, own)
    chosen = everywhere
    if key is not None and every:
        inside = entries_under(every, key, source)
        chosen = [everywhere[at] for at in under([each.key for each in everywhere], key)]
        chosen = chosen or readings(saved, inside, own)
    found = [_match(own, reading) for reading in chosen]
    if not found:
        raise StudioError(
            f"{source} contains no weights (tensors by name); save model.state_dict()."
        )

    def rank(match: Match) -> tuple[tuple[int, int], bool, int, bool]:
        plain = "ema" not in match.key.lower()
        return match.fit, match.key == key, -len(match.unexpected), plain

    found.sort(key=rank, reverse=True)  # stable: the first of equals stays the first
    if adapts(module):
        tried = [_adapted(module, own, match) for match in found[:TRIED]]
        found = sorted([*tried, *found[TRIED:]], key=rank, reverse=True)
    rest = found[1:] if key is None else [_match(own, reading) for reading in everywhere]
    return _beside_others(found[0], rest)


def _beside_others(best: Match, rest: list[Match]) -> Match:
    """Return the best match with the keys of others as good, whose weights it need not know."""
    known = {_taken(best)}
    keys: dict[str, None] = {}
    for match in rest:
        if match.fit == best.fit and _taken(match) not in known:
            known.add(_taken(match))
            keys[match.key] = None
    theirs = frozenset().union(*known)
    given = best.reading.given
    unexpected = tuple(n for n in best.unexpected if id(given.get(n)) not in theirs)
    return replace(best, unexpected=unexpected, others=tuple(keys))


def _taken(match: Match) -> frozenset[int]:
    """Return what identifies the tensors of a file that a match takes."""
    given = match.reading.given
    return frozenset(id(given[name]) for name in given if name in match.state)


def classes_in(
    saved: Any,
    module: nn.Module,
    classes: int,
    key: str | None = None,
    source: Path | str = "The file",
) -> int | None:
    """Return the number of classes of saved weights, if only this differs from the module's.

    It is the number of rows of those weights that have `classes` rows in the module and another
    number in the file.
    """
    own = own_tensors(module)
    found = {
        rows
        for name, value in best_match(saved, module, source, key).reading.given.items()
        if name in own
        and own[name].ndim
        and value.ndim == own[name].ndim
        and own[name].shape[0] == classes
        and value.shape[1:] == own[name].shape[1:]
        and (rows := value.shape[0]) != classes
    }
    return found.pop() if len(found) == 1 else None


def _match(own: Mapping[str, Tensor], reading: Reading) -> Match:
    given = reading.given
    fits = {n: _shaped(t, own[n]) for n, t in given.items() if n in own and _fits(t, own[n])}
    unknown = [n for n in given if n not in own and n in reading.counted]
    return Match(
        state=fits | _tied(own, fits),
        missing=_missing(own, fits, given),
        unexpected=tuple(n for n in unknown if not is_bookkeeping(n, given[n])),
        misshapen=tuple(
            f"{n} {tuple(t.shape)} for {tuple(own[n].shape)}"
            for n, t in given.items()
            if n in own and n not in fits
        ),
        reading=reading,
        passed_over=tuple(n for n in unknown if is_bookkeeping(n, given[n])),
    )


def _fits(value: Tensor, own: Tensor) -> bool:
    # Before torch 0.4, there were no tensors without dimensions.
    return value.shape == own.shape or (own.ndim == 0 and tuple(value.shape) == (1,))


def _shaped(value: Tensor, own: Tensor) -> Tensor:
    return value if value.shape == own.shape else value.reshape(own.shape)


def _missing(
    own: Mapping[str, Tensor], fits: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> tuple[str, ...]:
    tied = _tied(own, fits)
    # Counters of batches have no effect at inference, and old files lack them.
    return tuple(
        n for n in own if n not in given and n not in tied and not n.endswith("num_batches_tracked")
    )


def _tied(own: Mapping[str, Tensor], fits: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that a file lacks because they are the same as others that it has."""
    places = {_place(own[n]): n for n in fits}
    return {
        n: fits[places[_place(t)]]
        for n, t in own.items()
        if n not in fits and t.numel() and not t.is_meta and _place(t) in places
    }


def _place(value: Tensor) -> tuple[Any, ...]:
    if value.is_meta or value.layout != torch.strided:
        return (id(value),)
    shape, stride = tuple(value.shape), value.stride()
    return value.data_ptr(), shape, stride, value.dtype


def _adapted(module: nn.Module, own: Mapping[str, Tensor], match: Match) -> Match:
    """Return a match after the module itself has renamed or changed what it was given."""
    loaded = as_torch_loads(module, match.reading)
    if loaded is None:
        return match
    state, unknown = loaded
    given = match.reading.given
    counted = [n for n in unknown if n in match.reading.counted]
    passed = tuple(n for n in counted if is_bookkeeping(n, given[n]))
    return replace(
        match,
        state=state | _tied(own, state),
        missing=_missing(own, state, state),
        unexpected=tuple(n for n in counted if n not in passed),
        misshapen=(),
        passed_over=passed,
    )
