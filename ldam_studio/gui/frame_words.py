"""Texts that describe a frame: badges, names of chains, pixel values, progress."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.run_state import RunState
from ldam_studio.gui.theme.paint import Badge
from ldam_studio.sampler.schedule import cycle_at, length_of
from ldam_studio.sampler.schedule_settings import CYCLES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.outline import LaneOutline
    from ldam_studio.networks.pixels import PixelSpec
    from ldam_studio.sampler.settings import Settings

NUMBER = "#"  # stands before a chain's number
MOST_VALUES = 4  # channels of a pixel whose values fit in one line


def thousands(number: int) -> str:
    """Return a number with thousands separators, such as 12,345."""
    return f"{number:,}"


def dead_badges(frame: LaneFrame | None) -> tuple[Badge, ...]:
    """Return a badge if the front chain's neuron gives no gradient."""
    dead = frame is not None and frame.dead[frame.front]
    return (Badge("no gradient", "danger"),) if dead else ()


def hot_badges(frame: LaneFrame) -> tuple[Badge, ...]:
    """Return a badge with the temperature of a front chain that is a hot one of a ladder."""
    if not is_hot(frame):
        return ()
    return (Badge(f"hot: temperature {frame.temperature:.2g}", "warning"),)


def is_hot(frame: LaneFrame) -> bool:
    """Return whether the front chain is a hot one of a ladder, whose coldest is averaged."""
    return frame.ladders is not None and bool(frame.ladders.rung[frame.front])


def raw_badges(frame: Frame | None, state: RunState | None) -> tuple[Badge, ...]:
    """Return the badges of the raw sample: no gradient, melting, held, paused, stopped."""
    badges = list(dead_badges(None if frame is None else frame.lanes[0]))
    if frame is not None:
        badges += hot_badges(frame.lanes[0])
    if frame is not None and frame.melting:
        badges.append(Badge("melting", "warning"))
    if frame is not None and frame.lanes[0].front in frame.outline.held:
        badges.append(Badge("held", "accent"))
    if state is RunState.PAUSED:
        badges.append(Badge("paused", "accent"))
    elif state is RunState.FAILED:
        badges.append(Badge("stopped", "danger"))
    return tuple(badges)


def average_badges(frame: LaneFrame) -> tuple[Badge, ...]:
    """Return a badge while the front chain's average cannot be trusted yet."""
    of_coldest = (Badge("of the coldest chain"),) if is_hot(frame) else ()
    return of_coldest + _average_badges(frame)


def _average_badges(frame: LaneFrame) -> tuple[Badge, ...]:
    if not frame.burned_in[frame.front]:
        return (Badge("burning in", "warning"),)
    if frame.settling[frame.front]:
        return (Badge("settling", "warning"),)
    return ()


def group_badges(lane: LaneOutline, frame: LaneFrame) -> tuple[Badge, ...]:
    """Return a badge if the average in front is over some of its neuron's chains only."""
    group, neuron = lane.settings.average_group, lane.neurons[frame.front]
    if lane.settings.average_over == "time" or not isinstance(group, tuple):
        return ()
    rungs, shown = rungs_of(frame) or (0,) * len(group), frame.front
    if frame.ladders is not None:
        shown = int(frame.ladders.cold[shown])
    chains = zip(group, lane.neurons, rungs, strict=True)
    own = [number for number, each, rung in chains if each == neuron and not rung]
    some = own.count(group[shown])
    return (Badge(f"{some} of {len(own)} chains", "accent"),) if some < len(own) else ()


def chain_name(frame: LaneFrame) -> str:
    """Return the label and the address of the front chain's neuron, as "label · address"."""
    label, address = frame.labels[frame.front], str(frame.neurons[frame.front])
    return address if label == address else f"{label} · {address}"


def shorter_names(name: str) -> tuple[str, ...]:
    """Return shorter forms of a `chain_name` for narrow places, the longest first."""
    label, dot, _ = name.partition(" · ")
    return (label,) if dot else (short_label(name),)


def shorter_counts(words: str) -> tuple[str, ...]:
    """Return shorter forms of `average_words` for narrow places, the longest first."""
    count, _, what = words.rpartition(" ")
    if not what.startswith("sample"):
        return ()
    first, of, _ = count.partition(" of ")
    return (count, first, "…") if of else (count, "…")


def pixel_words(frame: Frame, pixels: PixelSpec, x: int, y: int) -> str:
    """Return the position of one pixel and its values, in pixel units.

    The position is in images of the network's own size; images of another resolution have their
    value at the same place. If the image has many channels, only the values of those that are
    displayed are given.
    """

    def values(image: NDArray[np.float32] | None) -> str:
        if image is None:
            return "-"
        row, across = y * image.shape[1] // pixels.height, x * image.shape[2] // pixels.width
        column = image[:, row, across]
        if len(image) > MOST_VALUES:
            column = column[list(pixels.picture)]
        return " ".join(f"{value:.3f}" for value in column)

    def lane(shown: LaneFrame) -> str:
        return f"raw {values(shown.raw)}   average {values(shown.average)}"

    where = f"x {x}   y {y}   "
    if len(frame.lanes) == 1:
        return where + lane(frame.lanes[0])
    return where + "   ".join(f"{lane_name(n)} {lane(one)}" for n, one in enumerate(frame.lanes))


def average_words(frame: LaneFrame, window: int = 0) -> str:
    """Return how many samples the front chain's average holds; empty before burn-in.

    Parameters
    ----------
    window
        Number of samples that the average covers; 0 for all.
    """
    if not frame.burned_in[frame.front]:
        return ""
    forgets = 0 < window < frame.samples[frame.front]
    return (f"last {thousands(window)} of " if forgets else "") + sample_words(frame)


def sample_words(frame: LaneFrame) -> str:
    """Return how many samples have gone into the front chain's average."""
    count = int(frame.samples[frame.front])
    return f"{thousands(count)} sample" + ("" if count == 1 else "s")


def progress_words(frame: LaneFrame) -> str:
    """Return the chains' progress for the status bar."""
    count = len(frame.neurons)
    chains = f"{thousands(count)} chain" + ("" if count == 1 else "s")
    done = int(frame.burned_in.sum())
    if done < count:
        return f"burn-in: {thousands(done)} of {chains} done"
    settling = int(frame.settling.sum())
    if settling:
        return f"settling: {thousands(settling)} of {chains}"
    return f"averaging {sample_words(frame)}"


def rate_words(per_second: float, what: str) -> str:
    """Return a rate such as "14 frames/s" or "1 frame in 3.0 s"; empty if nothing was measured."""
    if per_second <= 0:
        return ""
    if per_second < 0.95:
        return f"1 {what} in {_short(1 / per_second)} s"
    return f"{_short(per_second)} {what}s/s"


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 9.95 else thousands(round(number))


def schedule_words(frame: LaneFrame, settings: Settings) -> str:
    """Return how far the schedule of a lane with these settings has run; empty when none runs."""
    if not frame.now:
        return ""
    at, stopped = frame.clock, ", stopped" * frame.held
    if settings.schedule_shape == CYCLES and settings.schedule:
        cycle = cycle_at(settings, at)
        return f"cycle {thousands(cycle.number + 1)}, {math.floor(cycle.share * 100)} %{stopped}"
    length = length_of(settings)
    if at >= length:
        return f"schedule at its end{stopped}"
    return f"schedule {thousands(at)} of {thousands(length)}{stopped}"


def short_label(label: str) -> str:
    """Return the last part of a long layer address, in which neighbouring neurons differ."""
    layer, colon, number = label.rpartition(":")
    return f"{layer.rpartition('.')[2]}{colon}{number}"


def told_apart(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the chains' labels, with the chain's number where several labels are equal.

    If all chains have the same neuron, their labels are only these numbers.
    """
    count = Counter(labels)
    if len(labels) > 1 and len(count) == 1:
        return tuple(f"{NUMBER}{chain}" for chain in range(1, len(labels) + 1))
    return tuple(
        f"{label} {NUMBER}{chain}" if count[label] > 1 else label
        for chain, label in enumerate(labels, 1)
    )


def rungs_of(frame: LaneFrame) -> tuple[int, ...]:
    """Return the rung of each chain, 0 for the coldest of a ladder; empty without ladders."""
    return () if frame.ladders is None else tuple(frame.ladders.rung.tolist())


def with_rungs(labels: tuple[str, ...], rungs: tuple[int, ...]) -> tuple[str, ...]:
    """Return chains' labels, in which hot chains of ladders have their rung, such as +2.

    Parameters
    ----------
    labels
        As `told_apart` returns them.
    rungs
        As `rungs_of` returns them.
    """
    if len(rungs) != len(labels):
        return labels
    return tuple(
        f"{label.rpartition(NUMBER)[0]}+{rung}" if rung else label
        for label, rung in zip(labels, rungs, strict=True)
    )


def with_rungs_said(tips: tuple[str, ...], rungs: tuple[int, ...]) -> tuple[str, ...]:
    """Return chains' tool tips that tell of ladders; parameters as in `with_rungs`."""
    if len(rungs) != len(tips):
        return tips
    said = (
        f"hot, rung {rung} of a ladder" if rung else "the coldest of a ladder" for rung in rungs
    )
    return tuple(f"{tip}, {what}" for tip, what in zip(tips, said, strict=True))


def device_words(device: Device) -> str:
    """Return where and how the sampler runs, for the status bar."""
    words = {"cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}.get(device.name, device.name)
    if device.plan.words != "float32":
        words += f" {device.plan.words}"
    if device.name == "cpu":
        words += f", {device.threads} thread" + ("" if device.threads == 1 else "s")
    return words
