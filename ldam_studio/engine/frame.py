"""Frames: immutable views of a session between two steps, made for the window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.engine import field_checks, silent_neurons
from ldam_studio.engine.advance import LaneInfo, StepInfo
from ldam_studio.engine.balanced import can_be_measured
from ldam_studio.engine.compute.transfer import to_host
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.picture import Bytes, Floats, to_bytes
from ldam_studio.engine.schedule import is_coarse, present_values, taken_over
from ldam_studio.engine.setting_notes import setting_notes
from ldam_studio.engine.settled import Settled, settled_of, settled_tensors
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.resize import resized
from ldam_studio.training.learner import LearnInfo

THUMBNAIL = 96  # maximal length of a thumbnail's longer side, in pixels, unless a size is asked for
MOST_THUMBNAILS = 4_000_000  # pixels in the thumbnails of a lane of that size


@dataclass(frozen=True)
class FrameRequest:
    """What to show: the front chain, and how thumbnails become colours (see `picture.to_bytes`)."""

    front: int = 0
    display: str = "signed"
    scale: float | None = None
    averages: bool = False
    """Whether thumbnails show the averages instead of the raw samples."""
    side: int | None = None
    """The length, in pixels, at which thumbnails are shown: their longer side is at least this, if
    images are, and `MOST_THUMBNAILS` permits it. None for `THUMBNAIL` at most."""
    settled: str = ""
    """What to tell of how settled the average is, one of `settled.SETTLED`; empty for nothing."""


@dataclass(frozen=True)
class Trace:
    """Measurements of the n steps since the last frame; arrays are (n, chains), `steps` is (n,).

    `real_probability` is NaN where no discriminator was evaluated. `change` is the root-mean-square
    by which a step's sample moved each chain's average. `acceptance` is 1 where a step was
    accepted, 0 where it was rejected, and NaN where the kernel accepts every step.
    """

    steps: NDArray[np.int64]
    activation: Floats
    real_probability: Floats
    change: Floats
    acceptance: Floats


@dataclass(frozen=True)
class LadderFrame:
    """Ladders of temperatures (see `sampler.tempering`); arrays have shape (chains,).

    `rung` is 0 for the coldest chain of a ladder, whose number is `cold`. `temperature` is that of
    each chain. `rate` is the mean probability of exchanges with the next colder chain, which were
    `tried` so many times. `trips` counts, at the coldest chain, images that came from the hottest.
    """

    rung: NDArray[np.int64]
    cold: NDArray[np.int64]
    temperature: Floats
    rate: Floats
    tried: NDArray[np.int64]
    trips: NDArray[np.int64]


@dataclass(frozen=True)
class LaneFrame:
    """What a frame shows of one lane; its arrays belong to this frame and are never changed.

    `raw` and `average` (C, H, W) are those of the `front` chain, in pixel units; `average` is None
    before its first sample. `thumbnails` (chains, h, w, 3) are the images in colours. Images larger
    than was asked for are first reduced by averaging squares of n x n pixels, see `FrameRequest`;
    images of another resolution than the network's own have thumbnails of the same size. Other
    arrays have shape (chains,).

    `activation` has the values of what is made large, which `objective` names: one of the choices
    of the setting *Objective*. `field` is the receptive field of the front chain's neuron (top,
    left, bottom, right), or None for the whole image. `dead` marks the chains whose neurons give no
    gradient; `silence` is a sentence about neurons that stay silent, and `doubt` one about a
    receptive field that was wrong; they are empty without these. `notes` has sentences about
    settings, by name, see `setting_notes`. `measurable` tells whether the user's photographs would
    change what photo statistics do.

    `clock` is the present step of the schedule. `now` has the values that a schedule gives the
    front chain at present, by the settings' names; it is empty when no schedule runs. `taken` names
    the settings that have left the schedule; `held` tells whether it was stopped.
    `ladders` is None without tempering. `settled` is None unless the frame was asked for it.
    `rest` is the kept picture (C, H, W) towards which L2 pulls; None for the rest colour.
    """

    front: int
    raw: Floats
    average: Floats | None
    thumbnails: Bytes
    neurons: tuple[Neuron, ...]
    labels: tuple[str, ...]
    field: Box | None
    objective: str
    activation: Floats | None
    real_probability: Floats | None
    gradient_rms: Floats | None
    samples: NDArray[np.int64]
    burned_in: NDArray[np.bool_]
    settling: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    silence: str
    doubt: str
    notes: Mapping[str, str]
    measurable: bool
    trace: Trace
    temperature: float
    clock: int
    now: Mapping[str, float]
    taken: tuple[str, ...] = ()
    held: bool = False
    ladders: LadderFrame | None = None
    settled: Settled | None = None
    rest: Floats | None = None


@dataclass(frozen=True)
class Frame:
    """The session as the window shows it: its lanes, and what they share.

    `outline` has the session's settings. It includes all changes up to `commands_seen`, the number
    of the last command that was taken from the queue; see `engine.commands`. `melting` tells
    whether the front chain is heated.
    """

    number: int
    step: int
    outline: Outline
    commands_seen: int
    marks: tuple[tuple[int, str], ...]
    notices: tuple[str, ...]
    melting: bool
    steps_per_second: float
    lesson: LearnInfo | None
    lanes: tuple[LaneFrame, ...]


def make_frame(
    state: SessionState,
    request: FrameRequest,
    *,
    number: int,
    infos: Sequence[StepInfo],
    notices: Sequence[str],
    steps_per_second: float,
    lesson: LearnInfo | None,
    commands_seen: int,
) -> Frame:
    """Copy what a frame shows to the host; `infos` are those of the steps since the last frame."""
    front = min(request.front, len(state.lane.neurons) - 1)
    picked = [
        _Picked(lane, front, request, [(i.step, i.lanes[n]) for i in infos if n < len(i.lanes)])
        for n, lane in enumerate(state.lanes)
    ]
    # A kept picture never changes, so that frames share it.
    rest = None if state.rest is None else state.pictures[state.rest].pixels.numpy()
    # All lanes are copied together, since each transfer to the host waits for the device.
    here = to_host({(n, name): t for n, p in enumerate(picked) for name, t in p.tensors.items()})
    return Frame(
        number=number,
        step=state.step,
        outline=state.outline,
        commands_seen=commands_seen,
        marks=tuple((info.step, mark) for info in infos for mark in info.marks),
        notices=tuple(notices),
        melting=state.heat_of(front) > 1,
        steps_per_second=steps_per_second,
        lesson=lesson,
        lanes=tuple(
            replace(
                p.shown(
                    {name: array for (lane, name), array in here.items() if lane == n},
                    request,
                    setting_notes(p.lane, state.pictures),
                ),
                rest=rest,
            )
            for n, p in enumerate(picked)
        ),
    )


class _Picked:
    """What a frame shows of a lane; `tensors` are still on the lane's device."""

    def __init__(
        self, lane: Lane, front: int, request: FrameRequest, steps: Sequence[tuple[int, LaneInfo]]
    ) -> None:
        self.lane, self.front = lane, front
        # If the number of chains has changed, only steps with the present number are drawn.
        fitting = [(step, i) for step, i in steps if len(i.activation) == len(lane.neurons)]
        self.steps, self.infos = [step for step, _ in fitting], [i for _, i in fitting]
        shown = lane.shown_average()
        self.tensors = (
            {
                "raw": lane.chains.x[front],
                "average": shown.mean[front],
                "thumbnails": shrunk(
                    shown.mean if request.averages else lane.chains.x, lane, request.side
                ),
                "samples": shown.count,
                "burned_in": lane.progress.done,
                "settling": lane.progress.settling,
                "dead": lane.waking.dead,
                "temperature": lane.parameters.temperature[front],
            }
            | _of_ladders(lane)
            | settled_tensors(lane, front, request.settled)
            | _named("last", self.infos[-1:])
            | _named("trace", self.infos)
        )

    def shown(
        self, here: Mapping[str, NDArray[Any]], request: FrameRequest, notes: Mapping[str, str]
    ) -> LaneFrame:
        """Return the lane's frame, given the values of `tensors` on the host."""
        lane, front = self.lane, self.front
        return LaneFrame(
            front=front,
            raw=here["raw"],
            average=here["average"] if here["samples"][front] else None,
            thumbnails=_thumbnails(here["thumbnails"], lane.network.pixels, request),
            neurons=lane.neurons,
            labels=tuple(lane.network.label(neuron) for neuron in lane.neurons),
            field=lane.targets.fields[front],
            objective=lane.objective,
            activation=_only(here.get("last activation")),
            real_probability=_only(here.get("last real_probability")),
            gradient_rms=_only(here.get("last gradient_rms")),
            samples=here["samples"],
            burned_in=here["burned_in"],
            settling=here["settling"],
            dead=here["dead"],
            # At a coarse resolution many neurons are silent that respond at their own.
            silence="" if is_coarse(lane) else silent_neurons.warning(lane.waking, lane.neurons),
            doubt=field_checks.sentence(lane),
            notes=notes,
            measurable=can_be_measured(lane),
            trace=_trace(self.steps, here, len(lane.neurons)),
            temperature=here["temperature"].item(),
            clock=lane.clock.at,
            now=present_values(lane, front),
            taken=taken_over(lane),
            held=lane.clock.held is not None,
            ladders=_ladders(lane, here),
            settled=settled_of(here, request.settled),
        )


def _of_ladders(lane: Lane) -> dict[str, Tensor]:
    found = lane.tempering
    if found is None:
        return {}
    warm, cold = lane.parameters.temperature.flatten(), found.ladders.cold
    values = {"cold": cold, "temperature": warm, "rate": found.rate}
    values |= {"tried": found.tried, "trips": found.trips}
    return {f"ladders {name}": tensor for name, tensor in values.items()}


def _ladders(lane: Lane, here: Mapping[str, NDArray[Any]]) -> LadderFrame | None:
    if lane.tempering is None:
        return None
    rung = np.array(lane.tempering.ladders.rungs, dtype=np.int64)
    names = ("cold", "temperature", "rate", "tried", "trips")
    return LadderFrame(rung, **{name: here[f"ladders {name}"] for name in names})


def _named(prefix: str, infos: Sequence[LaneInfo]) -> dict[str, Tensor]:
    """Stack the measurements of several steps, each (n, chains); omit those that no step has."""
    found = {}
    for name in ("activation", "real_probability", "gradient_rms", "change", "acceptance"):
        rows = [getattr(info, name) for info in infos]
        seen = next((row for row in rows if row is not None), None)
        if seen is not None:
            unseen = torch.full_like(seen, torch.nan)
            found[f"{prefix} {name}"] = torch.stack([unseen if r is None else r for r in rows])
    return found


def _only(rows: Floats | None) -> Floats | None:
    return None if rows is None else rows[0]


def _stride(pixels: PixelSpec, chains: int, side: int | None) -> int:
    """Return by how much thumbnails are smaller than images."""
    longer = max(pixels.height, pixels.width)
    if side is None:
        return -(-longer // THUMBNAIL)
    most = math.sqrt(MOST_THUMBNAILS / (chains * pixels.height * pixels.width))
    return max(1, longer // max(side, 1), math.ceil(1 / most))


def shrunk(pictures: Tensor, lane: Lane, side: int | None) -> Tensor:
    """Shrink pictures (chains, C, H, W) to thumbnails; small pictures are returned unchanged.

    Parameters
    ----------
    side
        Length of their longer side, see `FrameRequest.side`.
    """
    pixels = lane.network.pixels
    stride = _stride(pixels, len(pictures), side)
    if lane.sized is not lane.network:
        return resized(pictures, (-(-pixels.height // stride), -(-pixels.width // stride)))
    if stride <= 1:
        return pictures
    # The last row and column may average fewer pixels.
    sides = tuple(min(stride, size) for size in pictures.shape[2:])
    return torch.nn.functional.avg_pool2d(pictures, sides, ceil_mode=True)


def _thumbnails(pictures: Floats, pixels: PixelSpec, request: FrameRequest) -> Bytes:
    """Turn pictures (chains, C, h, w) into colours (chains, h, w, 3)."""
    if request.display == "signed" and request.scale is None:
        return np.stack([to_bytes(picture, pixels) for picture in pictures])
    # With the same scale for all, they are mapped in one call as one tall picture.
    chains, channels, height, width = pictures.shape
    tall = pictures.swapaxes(0, 1).reshape(channels, chains * height, width)
    mapped = to_bytes(tall, pixels, request.display, request.scale)
    return mapped.reshape(chains, height, width, 3)


def _trace(steps: Sequence[int], here: Mapping[str, Floats], chains: int) -> Trace:
    unseen = np.full((len(steps), chains), np.nan, np.float32)
    return Trace(
        steps=np.array(steps, dtype=np.int64),
        activation=here.get("trace activation", unseen),
        real_probability=here.get("trace real_probability", unseen),
        change=here.get("trace change", unseen),
        acceptance=here.get("trace acceptance", unseen),
    )
