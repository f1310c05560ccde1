"""What a figure for a paper shows: pictures with labels, scales of their colours, and notes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ldam_studio import __version__
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.picture import Bytes, difference_to_bytes, to_bytes
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.export.animation.panes import chain_columns
from ldam_studio.export.shown import AVERAGES, OF_ONE, Part, Shown, parts_of
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.families import short_name
from ldam_studio.sampler.settings import SETTINGS, Settings

COLOURS = 256
"""Colours in a scale."""
ALWAYS = ("temperature", "step_size", "l2")
"""Settings that are named even at their defaults."""
TALLEST = 1.5
"""Height of a panel's pictures, at most, for each unit of their width: about a page of paper."""
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Scale:
    """A scale of colours.

    Attributes
    ----------
    colours
        From the lowest value to the highest, shape (1, `COLOURS`, 3).
    ends
        The numbers at both ends and in the middle, as text.
    caption
        What the numbers are.
    """

    colours: Bytes
    ends: tuple[str, str, str]
    caption: str


@dataclass(frozen=True)
class Panel:
    """Pictures (H, W, 3) of one size in rows, with labels above them and a title above all.

    A picture has no label where it is "". `scale` is None for colours as they are.
    """

    title: str
    pictures: tuple[Bytes, ...]
    labels: tuple[str, ...]
    columns: int
    scale: Scale | None


@dataclass(frozen=True)
class Figure:
    """A figure: its title, its panels from left to right or top to bottom, and notes below."""

    title: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]

    def called(self, title: str) -> Figure:
        """Return the figure with another title."""
        return replace(self, title=title)

    @property
    def is_row(self) -> bool:
        """Whether the panels have one picture each and stand side by side."""
        return all(len(panel.pictures) == 1 for panel in self.panels)


def figure_of(state: SessionState, shown: Shown, title: str) -> Figure:
    """Return the figure of what `shown` describes; its pixels are those of `picture_of`.

    Raises
    ------
    StudioError
        If there is no such chain, or its average has no sample yet.
    """
    parts = parts_of(state, shown)
    panels = tuple(_panel(state, shown, part, several=len(parts) > 1) for part in parts)
    return Figure(title, panels, _notes(state, shown))


def title_of(state: SessionState, shown: Shown) -> str:
    """Return the title that a figure has unless the user gives it another one."""
    lane = state.lane
    what = "Running average" if shown.what in AVERAGES else "Raw sample"
    neurons = tuple(dict.fromkeys(lane.neurons))
    if shown.what in OF_ONE:
        neurons = lane.neurons[shown.front : shown.front + 1]
    else:
        what += "s"
    if len(neurons) > 1:
        return f"{what} of {len(lane.neurons)} chains"
    label, address = lane.network.label(neurons[0]), str(neurons[0])
    called = f"class {label}" if label.isdecimal() else label
    return f"{what} of {address if label == address else f'{called} ({address})'}"


def _panel(state: SessionState, shown: Shown, part: Part, *, several: bool) -> Panel:
    lane = state.lanes[part.lane]
    own = lane_name(part.lane)
    title = ""
    if several:
        title = f"{own}  {short_name(lane.network.name)}"
    if part.is_difference:
        title = f"{own} {MINUS} {lane_name(0)}"
    shape = part.pictures[0].shape
    columns = _columns([lane.neurons[n] for n in part.chains], (shape[1], shape[0]))
    labels = [lane.network.label(lane.neurons[chain]) for chain in part.chains]
    if len(set(labels)) == 1:
        labels = [""] * len(labels)
    rows = [labels[at : at + columns] for at in range(0, len(labels), columns)]
    for number in range(len(rows) - 1, 0, -1):
        if rows[number] == rows[number - 1][: len(rows[number])]:
            rows[number] = [""] * len(rows[number])
    flat = tuple(label for row in rows for label in row)
    scale = _scale(part, state.lane.network.pixels, shown)
    return Panel(title, part.pictures, flat, columns, scale)


def _columns(neurons: Sequence[Hashable], image: tuple[int, int]) -> int:
    """Return a multiple of the columns of a grid of chains with which a panel fits on a page."""
    usual = columns = chain_columns(neurons, image)
    width, height = image
    while math.ceil(len(neurons) / columns) * height > TALLEST * columns * width:
        columns += usual
    return columns


def _scale(part: Part, pixels: PixelSpec, shown: Shown) -> Scale | None:
    ramp = np.linspace(-1, 1, COLOURS, dtype=np.float32)[None, None]
    image = np.broadcast_to(ramp, (pixels.channels, 1, COLOURS))
    several = ", in each channel" if len(pixels.picture) > 1 else ""
    if part.is_difference:
        colours = difference_to_bytes(image, pixels, 1.0)
        return _signed(colours, part, f"difference{several}")
    if shown.display == "signed":
        colours = to_bytes(image + np.float32(pixels.rest), pixels, "signed", 1.0)
        of = f"distance from the rest colour {_number(pixels.rest)}{several}"
        return _signed(colours, part, of)
    if several:  # the colours are those of the image
        return None
    low, high = pixels.bounds
    middle = (low + high) / 2
    colours = to_bytes(middle + image * np.float32((high - low) / 2), pixels, "image")
    ends = (_number(low), _number(middle), _number(high))
    return Scale(colours, ends, "pixel value, in pixel units")


def _signed(colours: Bytes, part: Part, of: str) -> Scale:
    """Return a scale that is 0 in the middle."""
    low, high = min(part.scales), max(part.scales)
    if not math.isfinite(high):
        return Scale(colours, ("", "0", ""), f"{of}; the values overflow")
    if f"{low:.3g}" == f"{high:.3g}":
        end = _number(high)
        return Scale(colours, (f"{MINUS}{end}", "0", end), f"{of}, in pixel units")
    largest = f"each picture its own largest, {_number(low)} to {_number(high)} pixel units"
    return Scale(colours, (f"{MINUS}max", "0", "max"), f"{of}; max: {largest}")


def _notes(state: SessionState, shown: Shown) -> tuple[str, ...]:
    lines = []
    one = shown.what in OF_ONE
    for number, lane in enumerate(state.lanes):
        name = f"{lane_name(number)}: " if len(state.lanes) > 1 else ""
        lines.append(name + _about(lane, shown))
        if not number or lane.settings != state.lane.settings:
            lines.append(name + settings_words(lane.settings, shown.front if one else None))
    lines.append(f"Step {state.step:,}, seed {state.seed}. LDAM Studio {__version__}.")
    return tuple(lines)


def _about(lane: Lane, shown: Shown) -> str:
    """Return the network, the neurons and the samples of a lane."""
    front = slice(shown.front, shown.front + 1) if shown.what in OF_ONE else slice(None)
    neurons = [str(neuron) for neuron in dict.fromkeys(lane.neurons[front])]
    named = ", ".join(neurons) if len(neurons) <= 4 else f"{neurons[0]} to {neurons[-1]}"
    weights = lane.network.provenance.sha256[:12]
    words = f"{short_name(lane.network.name)} (weights {weights}), {named}"
    if shown.what not in AVERAGES:
        return f"{words}."
    counts = lane.shown_average().count[front].tolist()
    window = lane.settings.window if lane.settings.average_over == "time" else 0
    return f"{words}; {_samples(min(counts), max(counts), window)}."


def _samples(least: int, most: int, window: int) -> str:
    """Return how many samples were averaged; a window of 0 forgets none."""
    samples = f"{_span(least, most)} sample{'s' * (most != 1)}"
    if not 0 < window < most:
        return samples
    return f"{'' if window <= least else 'at most the '}last {window:,} of {samples}"


def settings_words(settings: Settings, chain: int | None = None) -> str:
    """Return the settings that are not at their defaults, and the most important ones.

    They are those of one chain, or of all.
    """
    said = []
    for each in fields(settings):
        described, value = SETTINGS[each.name], getattr(settings, each.name)
        if value == described.default and each.name not in ALWAYS:
            continue
        if isinstance(value, tuple) and chain is not None:
            value = value[min(chain, len(value) - 1)]
        said.append(f"{_lower(described.label)} {_value(value)}")
    words = ", ".join(said)
    return f"{words[:1].upper()}{words[1:]}."


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return f"{value[0]:g}" if len(set(value)) == 1 else f"{min(value):g} to {max(value):g}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _span(least: int, most: int) -> str:
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _lower(label: str) -> str:
    """Return a label within a sentence; L2 and the like stay as they are."""
    return label if label[1:2].isdigit() or label[:2].isupper() else label[0].lower() + label[1:]


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", MINUS)
