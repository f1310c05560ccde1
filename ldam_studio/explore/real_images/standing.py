"""Where a drawn image lies among real ones, in words and as a histogram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.explore.real_images.catalogue import Report
from ldam_studio.explore.real_images.index import Responses
from ldam_studio.networks.anatomy.units import units_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.resize import resized

RAW, AVERAGE = "raw", "average"
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
BINS = 60
FEW = 100
"""With fewer images their number is part of what is said of those beyond them."""
NAMED = 3
"""Files that a sentence names."""


@dataclass(frozen=True)
class Histogram:
    """How many images have values in each of several equal ranges.

    Attributes
    ----------
    low, high
        Ends of the whole range: the smallest and the largest value.
    counts
        Number of images in each range, (n,).
    """

    low: float
    high: float
    counts: NDArray[np.int64]


def histogram(responses: Responses, bins: int = BINS) -> Histogram:
    """Return how the values of real images are spread; there must be at least one."""
    values = responses.values.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    span = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts, _ = np.histogram(values, bins, span)
    return Histogram(*span, counts)


@torch.no_grad()
def drawn_values(
    network: Network, neuron: Neuron, images: Mapping[str, Tensor]
) -> dict[str, float]:
    """Return a neuron's activation for drawn images (C, H, W) in pixel units.

    It is the quantity that `Index.responses` has of real images, of the unit that was drawn: at the
    neuron's own place, whatever the objective and the views of the chains are. Images of another
    size, as schedules of the resolution have, are brought to the network's own.
    """
    if not images:
        return {}
    size = (network.pixels.height, network.pixels.width)
    shown = [
        image[None] if tuple(image.shape[1:]) == size else resized(image[None], size)
        for image in images.values()
    ]
    units = units_of(network.layer(neuron.layer), [neuron] * len(shown), network.device)
    values = network.activation(torch.cat(shown).to(network.device), units)
    return dict(zip(images, values.tolist(), strict=True))


def share_below(value: float, responses: Responses) -> float:
    """Return the share of real images whose value is smaller than this one."""
    ordered = responses.values[responses.ranked]
    return float(np.searchsorted(ordered, value)) / len(ordered)


def standing(drawn: Mapping[str, float], responses: Responses) -> str:
    """Return one line that says where drawn images lie among the real ones.

    Parameters
    ----------
    drawn
        Values by `RAW` and `AVERAGE`; one of them may be missing.
    """
    most = float(responses.values.max())
    best = f"best real image {number(most)}"
    finite = {name: value for name, value in drawn.items() if math.isfinite(value)}
    if not finite:
        return f"{best[0].upper()}{best[1:]}"
    values = {name: f"{name} {number(value)}" for name, value in finite.items()}
    ranks = {n: f"above {_percent(share_below(v, responses))}" for n, v in finite.items()}
    few = len(responses) < FEW
    anything = f"the {len(responses)} real images" if few else "anything real here"
    beyond = [name for name, value in finite.items() if value > most]
    if len(beyond) == len(finite):
        said = f"Beyond {anything}: {', '.join(values.values())}"
    elif beyond:
        first = values[beyond[0]]
        others = [f"{values[name]} {ranks[name]}" for name in finite if name not in beyond]
        said = f"{first[0].upper()}{first[1:]} is beyond {anything}, {', '.join(others)}"
    else:
        each = [f"{values[name]} ({ranks[name]})" for name in finite]
        said = f"Within the real range: {', '.join(each)}"
    return f"{said}; {best}"


def _percent(share: float) -> str:
    if share in (0.0, 1.0):
        return "all" if share else "none"
    text = f"{100 * share:.0f}" if 0.01 <= share <= 0.99 else f"{100 * share:.1f}"
    return f"{min(float(text), 99.9):g} %"


def number(value: float) -> str:
    """Return a value with about three digits."""
    size = abs(value)
    if not size:
        return "0"
    if size >= 1e5 or size < 1e-3:
        return f"{value:.1e}"
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def report_words(report: Report, count: int) -> str:
    """Return what reading the images gave, in sentences; empty if all of them are plain.

    Parameters
    ----------
    count
        Number of images of the source that were looked for.
    """
    said = []
    if report.unread_count:
        named = ", ".join(f"{each.name} ({each.why})" for each in report.unread[:NAMED])
        rest = report.unread_count - NAMED
        more = f" and {rest:,} more" if rest > 0 else ""
        said.append(f"{report.unread_count:,} of {count:,} files could not be read: {named}{more}.")
    if report.animated:
        what = "picture is animated" if report.animated == 1 else "pictures are animated"
        said.append(f"{report.animated:,} {what}: only the first image counts.")
    if report.converted:
        was = "picture was" if report.converted == 1 else "pictures were"
        said.append(
            f"{report.converted:,} {was} converted to plain colours (CMYK, 16 bits, palette or "
            "transparent, on white)."
        )
    if report.copies:
        said.append(f"{_copies(report.copies)}.")
    if report.shut:
        what = "folder" if report.shut == 1 else "folders"
        said.append(f"{report.shut:,} {what} could not be opened.")
    if report.total > count:
        said.append(f"{count:,} of {report.total:,} were chosen, evenly spaced.")
    if not report.complete:
        said.append("Indexing was stopped; index again to go on.")
    return " ".join(said)


def _copies(count: int) -> str:
    if count == 1:
        return "1 image is the same as another and does not count"
    return f"{count:,} images are the same as others and do not count"


def quantile_names(quantiles: Sequence[float] = QUANTILES) -> tuple[str, ...]:
    """Return what is written at each quantile: least, percentages, most."""
    names = {0.0: "least", 1.0: "most"}
    return tuple(names.get(share, f"{100 * share:g} %") for share in quantiles)
