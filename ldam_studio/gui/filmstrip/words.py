"""The texts of the filmstrip."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ldam_studio.export.filmstrip.pins import MOST_PINS
from ldam_studio.gui.tips import as_tip
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldam_studio.engine.description import SessionDescription
    from ldam_studio.engine.outline import Outline
    from ldam_studio.export.filmstrip.pins import Pin

EMPTY = (
    "Press P to pin the moment that you see. Each pin keeps its picture and the whole session: "
    "click one to go back to it, double click to compare it with the present."
)
STAR, UNSTAR, NOTE, MOVE = "Star Pin", "Remove Star", "Edit Note", "Move Pin"
GOING_BACK = "going back…"
NO_SESSION = "No session is open."
FULL = f"The filmstrip is full ({MOST_PINS} pins); delete some of them first."
BUSY = "The last pins are still being written; press P again in a moment."
HINT = "Click to go back, double click to compare, drag to a folder or a slide"
MOST_TOLD = 6  # settings that differ and are named
MOST_LETTERS = 24  # of a value


def step(pin: Pin) -> str:
    """Return the step of a pin."""
    return f"step {pin.step:,}"


def summary(count: int) -> str:
    """Return how many pins there are."""
    return f"{count:,} pin" + ("" if count == 1 else "s")


def and_more(count: int) -> tuple[str, ...]:
    """Return what is said where something holds for further pins, too."""
    return (f"The same holds for {summary(count)} more.",) if count else ()


def spoken(pin: Pin) -> str:
    """Return what a screen reader says of a pin."""
    said = [pin.neuron, step(pin), "starred" if pin.star else "", pin.note]
    return ", ".join(filter(None, said))


def tip(pin: Pin) -> str:
    """Return the tool tip of a pin."""
    lines = [f"{pin.neuron}, {step(pin)}", pin.title, pin.note]
    if pin.when:
        moment = datetime.fromtimestamp(pin.when)
        lines.insert(1, f"Pinned on {moment.day} {moment:%B, %H:%M}")
    return as_tip("\n".join(filter(None, [*lines, HINT])))


def differences(then: SessionDescription, now: Outline) -> str:
    """Return in words what was different at a moment: "then → now" for each setting."""
    told: list[str] = []
    first, present = then.lanes[0], now.lanes[0]
    if first.network.name != present.network.name:
        told.append(f"network {_short(first.network.name)} → {_short(present.network.name)}")
    elif first.network.sha256 != present.network.sha256:
        told.append("other weights")
    before, after = _several(first.neurons), _several(map(str, present.neurons))
    if before != after:
        told.append(f"neuron {before} → {after}")
    if len(first.neurons) != len(present.neurons):
        told.append(f"chains {len(first.neurons)} → {len(present.neurons)}")
    if len(then.lanes) != len(now.lanes):
        told.append(f"networks compared {len(then.lanes)} → {len(now.lanes)}")
    if then.seed != now.seed:
        told.append(f"seed {then.seed} → {now.seed}")
    told += _settings(
        first.settings,
        {n: getattr(present.settings, n) for n in first.settings if hasattr(present.settings, n)},
    )
    for number, (lane, here) in enumerate(zip(then.lanes[1:], now.lanes[1:], strict=False), 1):
        own = {n: getattr(here.settings, n) for n in lane.settings if hasattr(here.settings, n)}
        told += [f"{chr(ord('A') + number)}: {word}" for word in _settings(lane.settings, own)]
    if not told:
        return "All settings are the same."
    more = len(told) - MOST_TOLD
    return "Then → now: " + "; ".join(told[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"{SETTINGS[name].label} {_value(then[name])} → {_value(value)}"
        for name, value in now.items()
        if name in SETTINGS and _plain(then[name]) != _plain(value)
    ]


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.4g}"
    return "mixed" if isinstance(value, list | tuple) else _short(str(value)) or "none"


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _several(names: Any) -> str:
    found = list(dict.fromkeys(names))
    return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"
