"""Rules of the changes for some chains of a session: keeping, heating, restarting, holding them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.engine.changes.change import Change
    from ldam_studio.engine.outline import Outline

MOST_HEAT = 1e6


@dataclass(frozen=True)
class Heated:
    """Some chains, and the factor by which their temperature is multiplied; 1 cools them."""

    chains: tuple[int, ...]
    heat: float


def chosen(value: Any, count: int, what: str) -> list[int]:
    """Return the numbers of some of `count` chains.

    Raises
    ------
    StudioError
        If there are none, or if they are not whole numbers in ascending order from 0 on.
    """
    known = range(count)
    given = list(value) if isinstance(value, Collection) and not isinstance(value, str) else None
    if given == []:
        raise StudioError(f"There is no chain to {what}; choose at least one.")
    whole = given is not None and all(
        isinstance(index, int) and not isinstance(index, bool) and index in known for index in given
    )
    if given is None or not whole or given != sorted(set(given)):
        raise StudioError(
            f"The chains to {what} are some of 0 to {count - 1} in ascending order, not {value!r}."
        )
    return given


def check_heat(value: Any) -> None:
    """Check a factor of the temperature; `StudioError` if chains cannot be heated by it."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 1 <= value <= MOST_HEAT:
        raise StudioError(
            f"The temperature can be multiplied by 1 to {MOST_HEAT:,.0f}, not by {value!r}."
        )


def keep(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Keep some chains; those of them that are held stay held."""
    kept = chosen(change.value, outline.chains, "keep")
    held = tuple(new for new, index in enumerate(kept) if index in outline.held)
    heats = _heats(outline.heats[index] for index in kept if outline.heats)
    for number in numbers:
        lane = outline.lanes[number]
        neurons, settings = tuple(lane.neurons[i] for i in kept), lane.settings.of_chains(kept)
        outline = outline.put(number, replace(lane, neurons=neurons, settings=settings))
    return replace(outline, held=held, heats=heats)


def heat_some(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Heat or cool some chains; those that are heated move again."""
    if not isinstance(change.value, Heated):
        raise StudioError(f"Chains cannot be heated by {change.value!r}.")
    heated = chosen(change.value.chains, outline.chains, "heat")
    check_heat(change.value.heat)
    outline = _heated(outline, heated, float(change.value.heat))
    return _released(outline, heated) if change.value.heat > 1 else outline


def restart_some(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Restart some chains, which move then."""
    chains = chosen(change.value, outline.chains, "restart")
    return begun(outline, chains)


def hold(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Hold some chains, which cool if they were heated."""
    more = chosen(change.value, outline.chains, "hold")
    return replace(_heated(outline, more, 1.0), held=tuple(sorted({*outline.held, *more})))


def release(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Let some chains move again."""
    return _released(outline, chosen(change.value, outline.chains, "release"))


def freed(outline: Outline) -> Outline:
    """Return the outline for chains that start anew: none is held or has a heat of its own."""
    return replace(outline, held=(), heats=())


def begun(outline: Outline, chains: Iterable[int]) -> Outline:
    """Return the outline in which some chains start anew: these are neither held nor hot."""
    chains = list(chains)
    return _released(_heated(outline, chains, 1.0), chains)


def of_first(outline: Outline, count: int) -> Outline:
    """Return the outline for the first `count` chains; further ones are neither held nor hot."""
    held = tuple(chain for chain in outline.held if chain < count)
    heats = outline.heats and (*outline.heats, *(1.0,) * count)[:count]
    return replace(outline, held=held, heats=_heats(heats))


def _released(outline: Outline, chains: Iterable[int]) -> Outline:
    left = set(outline.held) - set(chains)
    return replace(outline, held=tuple(sorted(left)))


def _heated(outline: Outline, chains: Iterable[int], heat: float) -> Outline:
    heats = list(outline.heats or (1.0,) * outline.chains)
    for chain in chains:
        heats[chain] = heat
    return replace(outline, heats=_heats(heats))


def _heats(heats: Iterable[float]) -> tuple[float, ...]:
    """Return the heats, or nothing if all are 1."""
    found = tuple(heats)
    return found if any(heat != 1 for heat in found) else ()
