"""What a judge says of the averages of a session's chains, a few of them at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.explore.classes import confidence_words
from ldam_studio.explore.intervals import Interval, share_of
from ldam_studio.explore.verdict.judge import Judge
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

TOP = 5
MOST_CHAINS = 256
"""Chains that count at most: of more, the first ones."""
SHARE_S = 0.25
"""Time in seconds that is spent on the averages of further chains in each verdict."""


@dataclass(frozen=True)
class Averages:
    """The averages of a session's chains at one moment.

    Attributes
    ----------
    network, neurons
        The first lane's network, and the neuron of each chain.
    front, front_neuron
        The number of the front chain, and its neuron.
    means
        Shape (chains, C, H, W), in pixel units, of at most `MOST_CHAINS`.
    front_mean
        That of the front chain, (C, H, W).
    sampled
        Which chains have samples, (chains,).
    own
        The numbers of the chains whose averages count: of those that show the same one, the first.
    step
        The session's step.
    """

    network: Network
    neurons: tuple[Neuron, ...]
    front: int
    front_neuron: Neuron
    means: Tensor
    front_mean: Tensor
    sampled: tuple[bool, ...]
    own: frozenset[int]
    step: int

    def is_class(self, neuron: Neuron) -> bool:
        """Return whether a neuron is one of the network's classes."""
        return neuron.layer == self.network.class_layer.name and neuron.sign > 0


def averages_of(state: SessionState, front: int) -> Averages:
    """Return the averages of a session; tensors of lanes are never changed, so none is copied."""
    lane = state.lane
    shown, front = lane.shown_average(), min(front, len(lane.neurons) - 1)
    count = shown.count.tolist()
    return Averages(
        lane.network,
        lane.neurons[:MOST_CHAINS],
        front,
        lane.neurons[front],
        shown.mean[:MOST_CHAINS],
        shown.mean[front],
        tuple(number > 0 for number in count),
        _own(lane),
        state.step,
    )


def _own(lane: Lane) -> frozenset[int]:
    """Return one chain for each average: hot chains show that of the coldest on their ladder."""
    chains = lane.own_chains
    if lane.settings.average_over == "time":
        return frozenset(chains)
    groups = lane.averaged_together.tolist()
    return frozenset({groups[chain]: chain for chain in reversed(chains)}.values())


@dataclass(frozen=True)
class Verdict:
    """What a judge says.

    Attributes
    ----------
    title
        The judge.
    is_same
        Whether it is the explained network itself.
    top
        Names and probabilities of the likeliest classes of the front chain's average, the
        likeliest first; empty before its first sample.
    hits, judged
        Of the chains on classes that were judged since they turned to them, how many averages are
        named as their class.
    share
        That share with its 95 % interval (Wilson); None if no chain was judged.
    is_right
        Whether the front chain's average is named as its neuron's class; None if its neuron is no
        class, or before its first sample.
    """

    title: str
    is_same: bool
    top: tuple[tuple[str, float], ...]
    hits: int
    judged: int
    share: Interval | None
    is_right: bool | None = None

    @property
    def line(self) -> str:
        """The verdict on the front chain's average, in a line."""
        if not self.top:
            return "No sample has been averaged yet."
        name, share = self.top[0]
        called = f"class {name}" if name.isdecimal() else name
        who = "This network only" if self.is_same else self.title
        return f"{who}: {called}, {confidence_words(share)}"

    @property
    def over_chains(self) -> str:
        """How many chains are named as their class, in a sentence; empty if none was judged."""
        if self.share is None:
            return ""
        low, high = (100 * edge for edge in (self.share.low, self.share.high))
        return (
            f"{self.hits:,} of {self.judged:,} averages are named as their neuron's class: "
            f"{100 * self.share.value:.0f} % ({low:.0f} to {high:.0f} %)"
        )


class Rounds:
    """Judges the front chain's average each time, and of the other chains as many as time allows.

    Parameters
    ----------
    judge
        The judge.
    clock
        Returns the time in seconds.
    """

    def __init__(self, judge: Judge, clock: Callable[[], float] = time.monotonic) -> None:
        self.judge = judge
        self._clock = clock
        self._named: dict[int, tuple[Neuron, bool]] = {}  # by chain: its neuron, whether named so
        self._next = 0

    def verdict(self, averages: Averages, *, others: bool = True) -> Verdict:
        """Return the verdict on a session's averages.

        Parameters
        ----------
        others
            Whether further chains are judged; else only the front chain.
        """
        started = self._clock()
        top: tuple[tuple[str, float], ...] = ()
        is_right = None
        if averages.sampled[averages.front]:
            shares = self._shares(averages.front_mean[None], averages)[0]
            values, numbers = shares.topk(min(TOP, len(shares)))
            pairs = zip(numbers.tolist(), values.tolist(), strict=True)
            top = tuple((self.judge.labels[number], value) for number, value in pairs)
            neuron = averages.front_neuron
            if averages.is_class(neuron):
                is_right = int(numbers[0]) == neuron.index
        each = max(self._clock() - started, 1e-4)
        if others:
            self._judge_others(averages, max(1, int(SHARE_S / each)))
        hits = sum(named for _, named in self._named.values())
        judged = len(self._named)
        share = share_of(hits, judged) if judged else None
        judge = self.judge
        return Verdict(judge.title, judge.is_same, top, hits, judged, share, is_right)

    def knows_all(self, averages: Averages) -> bool:
        """Return whether every chain that counts was judged with its present neuron."""
        return all(
            chain in self._named and self._named[chain][0] == averages.neurons[chain]
            for chain in self._candidates(averages)
        )

    @staticmethod
    def _candidates(averages: Averages) -> list[int]:
        """Return the chains on classes whose averages count."""
        return [
            chain
            for chain, neuron in enumerate(averages.neurons)
            if averages.is_class(neuron) and averages.sampled[chain] and chain in averages.own
        ]

    def _judge_others(self, averages: Averages, count: int) -> None:
        """Judge the averages of the next chains on classes."""
        candidates = self._candidates(averages)
        # What turned to another neuron, or started anew, is no longer known.
        self._named = {
            chain: known
            for chain, known in self._named.items()
            if chain in candidates and averages.neurons[chain] == known[0]
        }
        if not candidates:
            return
        begin = next((at for at, chain in enumerate(candidates) if chain >= self._next), 0)
        chosen = (candidates[begin:] + candidates[:begin])[:count]
        self._next = chosen[-1] + 1
        named = self._shares(averages.means[chosen], averages).argmax(1).tolist()
        for chain, number in zip(chosen, named, strict=True):
            neuron = averages.neurons[chain]
            self._named[chain] = neuron, number == neuron.index

    def _shares(self, images: Tensor, averages: Averages) -> Tensor:
        with torch.no_grad():
            return self.judge.probabilities(images, averages.network.pixels)
