"""The texts of the gallery of modes."""

from __future__ import annotations

import math

from ldam_studio.explore.modes.observations import Mode
from ldam_studio.gui.frame_words import thousands

NOTHING = "No session is open."
WAITING = (
    "No mode yet. Modes appear here once chains have burned in, or their averages look the same "
    "for a while: each one that looks different is a mode. Then press Find Another, or melt (K) a "
    "few times, and further ones join them."
)
HELP = (
    "Averages of all chains since their last melt, grouped by how much they look alike. Each mode "
    "is one of the images that excite the neuron."
)
KINDS = (
    ("Pixels", "Averages are one mode if their edges lie at the same places"),
    (
        "Features",
        "Averages are one mode if they look alike to the network's penultimate layer, wherever "
        "things are in the image",
    ),
)


def title(number: int) -> str:
    """Return the name of a mode."""
    return f"mode {number}"


def number_in(text: str, neuron: str, by: str) -> int | None:
    """Return the number of a mode of a neuron from the title under which it is kept."""
    number = text.removeprefix("mode ").removesuffix(kept_title_end(neuron, by))
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None


def kept_title(number: int, neuron: str, by: str) -> str:
    """Return the title under which a mode is kept; `by` is what modes are compared by."""
    return title(number) + kept_title_end(neuron, by)


def kept_title_end(neuron: str, by: str) -> str:
    """Return the title of a kept mode without its number."""
    return f" of {neuron}" + (" by features" if by == "features" else "")


def share(mode: Mode) -> str:
    """Return a mode's share in percent, with its interval."""
    if mode.share is None:
        return "found earlier"
    value, low, high = (
        round(100 * part) for part in (mode.share.value, mode.share.low, mode.share.high)
    )
    return f"{value} % ({low}\N{EN DASH}{high})"


def card(mode: Mode, kept: bool, objective: str = "activation") -> tuple[str, ...]:
    """Return the lines beside a mode's picture; the first one is its name.

    `objective` is what the chains make large.
    """
    lines = [title(mode.number) + (", kept" if kept else ""), share(mode)]
    if not math.isnan(mode.activation):
        named = "activation" if objective == "activation" else "objective"
        size = abs(mode.activation)
        lines.append(f"{named} {mode.activation:{',.0f' if size >= 1000 else '.3g'}}")
    if mode.share is None:
        return tuple(lines)
    first, last = thousands(mode.first), thousands(mode.last)
    lines.append(f"step {first}" if mode.first == mode.last else f"steps {first}\N{EN DASH}{last}")
    return tuple(lines)


def tip(mode: Mode, kept: bool) -> str:
    """Return the tool tip of a card."""
    now = len(mode.chains)
    shown = ", ".join(str(chain + 1) for chain in sorted(mode.chains)[:10])
    more = " …" if now > 10 else ""
    lines = [
        f"{title(mode.number).capitalize()}: {_counted(mode.count, 'average')}, "
        f"{share(mode)} of all, with the 95 % interval."
        if mode.share is not None
        else f"{title(mode.number).capitalize()}: kept earlier in this session.",
        f"Shown now by chain {shown}." if now == 1 else "",
        f"Shown now by chains {shown}{more}." if now > 1 else "",
        "" if now else "No chain shows it now.",
        "Kept: with Repulsion, chains are pushed away from it." if kept else "",
    ]
    return "\n".join(line for line in lines if line)


def summary(neuron: str, modes: int, averages: int, shown: int) -> str:
    """Return what the gallery shows, in one line."""
    if not modes:
        return neuron
    some = f", {shown} of them shown" if shown < modes else ""
    return f"{neuron}: {_counted(modes, 'mode')} in {_counted(averages, 'average')}{some}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
