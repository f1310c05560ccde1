"""Copies what an animation shows out of a session, between two of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ldam_studio.engine.compute.transfer import Arriving
from ldam_studio.engine.frame import shrunk
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.gui.session.model import Display
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec

WHAT = {
    "both": "Raw sample beside the running average",
    "raw": "Raw sample of the front chain",
    "average": "Running average of the front chain",
    "strip": "Raw samples of all chains as a grid",
    "averages": "Running averages of all chains as a grid",
}
"""What can be recorded; the names are those of exported pictures."""
OF_ALL = ("strip", "averages")
WITH_RAW, WITH_AVERAGE = ("both", "raw", "strip"), ("both", "average", "averages")
VALUE = 4  # bytes


@dataclass(frozen=True)
class Wanted:
    """What is recorded.

    Attributes
    ----------
    what
        One of `WHAT`.
    side
        Length of an image's longer side in the animation, in pixels; larger images are reduced.
    front
        The front chain.
    display
        How pixels become colours.
    """

    what: str
    side: int
    front: int
    display: Display


@dataclass(frozen=True)
class Images:
    """Images (n, C, H, W) of one lane on their way to the host.

    `samples` (n,) of them were averaged; None for raw samples.
    """

    values: Arriving
    samples: Arriving | None = None


@dataclass(frozen=True)
class Caught:
    """What one frame of an animation shows, lane after lane; raw samples come before averages.

    Attributes
    ----------
    images
        The images of the lanes.
    pixels
        What their values mean.
    display
        How they become colours.
    neurons
        The neurons of the chains that are shown.
    size
        Bytes that they take.
    missed
        How many frames could not be taken directly before this one.
    note
        The neuron, if all chains that are shown have the same, and the step.
    """

    images: tuple[Images, ...]
    pixels: PixelSpec
    display: Display
    neurons: tuple[Neuron, ...]
    size: int
    missed: int = 0
    note: str = ""


def caught(state: SessionState, wanted: Wanted, missed: int = 0) -> Caught:
    """Copy what is wanted of a session; this waits neither for a step nor for the device."""
    chains, note = slice(None), f"step {state.step:,}"
    if wanted.what not in OF_ALL:
        front = min(wanted.front, len(state.lane.neurons) - 1)
        chains = slice(front, front + 1)
    shown = state.lane.neurons[chains]
    if len(set(shown)) == 1:
        note = f"{state.lane.network.label(shown[0])}, {note}"
    images = []
    size = 0
    for lane in state.lanes:
        if wanted.what in WITH_RAW:
            values = _reduced(lane.chains.x[chains], lane, wanted)
            images.append(Images(Arriving(values)))
            size += VALUE * values.numel()
        if wanted.what in WITH_AVERAGE:
            average = lane.shown_average()
            values = _reduced(average.mean[chains], lane, wanted)
            images.append(Images(Arriving(values), Arriving(average.count[chains].clone())))
            size += VALUE * values.numel()
    pixels = state.lane.network.pixels
    return Caught(tuple(images), pixels, wanted.display, shown, size, missed, note)


def _reduced(values: Tensor, lane: Lane, wanted: Wanted) -> Tensor:
    """Return images of the size that is wanted, without the memory of those of other chains."""
    smaller = shrunk(values.detach(), lane, wanted.side)
    return smaller if wanted.what in OF_ALL else smaller.clone()
