"""What can be said of the chains of one neuron, and how it is said.

"The chains agree" is said only if all of this holds: the target does not change, the chains have
burned in, they all move, they did not all begin at one image, R-hat of the activation and of each
projection is below `R_HAT`, there are `PER_CHAIN` effective samples for each chain and at least
`LEAST_EFFECTIVE` of bulk and tails, and no test finds a difference. "The chains still disagree" is
said only if the difference cannot be chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ldam_studio.explore.agreement.diagnostics import (
    Array,
    Diagnostics,
    diagnose,
    moving,
)

R_HAT = 1.01
PER_CHAIN = 100
LEAST_EFFECTIVE = 400
CHANCE = 1e-4
"""Probability below which a difference between chains is no chance."""

DOUBTFUL = 0.01

FIRST = 100  # samples of each chain before anything is said
LONGER = 400  # samples before anything is said of chains that are not burned in
FEW_MOVES = 0.05  # a chain that moves in a smaller share of its samples is stuck
LEFT_OUT = 4
"""The first of this many parts of a record is left out, because chains forget their start late."""


class Kind(Enum):
    """The kinds of verdicts, from the one that says most."""

    AGREE = "agree"
    DISAGREE = "disagree"
    NOT_YET = "not yet"
    TOO_EARLY = "too early"
    ONE_START = "one start"
    ONE_CHAIN = "one chain"
    STUCK = "stuck"
    SILENT = "silent"


@dataclass(frozen=True)
class Chains:
    """What is known of the chains of one neuron.

    Attributes
    ----------
    values
        The samples, (samples, chains, quantities); the activation is first.
    starts
        Equal numbers for chains that began at one image, (chains,).
    burned_in, dead
        Whether the burn-in of each chain has ended, and whether its neuron gives it no gradient,
        (chains,).
    numbers
        The chains' numbers in words, (chains,).
    unsteady
        Why the target changes at present, in words; empty if it does not.
    """

    values: Array
    starts: NDArray[np.int64]
    burned_in: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    numbers: tuple[int, ...]
    unsteady: str = ""


@dataclass(frozen=True)
class Verdict:
    """A verdict on the chains of one neuron; `diagnostics` is None where nothing was computed."""

    kind: Kind
    sentence: str
    diagnostics: Diagnostics | None = None
    needed: float = 0.0
    """The effective samples that a verdict "agree" needs."""


@np.errstate(invalid="ignore")  # infinite values are told in a sentence
def judge(chains: Chains, *, over_time: bool = True) -> Verdict:
    """Judge the chains of one neuron.

    `over_time` tells whether the average on the screen is not that of all chains.
    """
    count = chains.values.shape[1]
    if chains.dead.all():
        return Verdict(Kind.SILENT, "The neuron does not answer, so that its chains tell nothing.")
    if chains.unsteady:
        return Verdict(Kind.TOO_EARLY, f"Too early to tell: {chains.unsteady}.")
    if len(chains.values) < FIRST:
        return Verdict(
            Kind.TOO_EARLY,
            f"Too early to tell: {len(chains.values)} of the first {FIRST} samples are there.",
        )
    values = chains.values[len(chains.values) // LEFT_OUT :]
    diagnostics = diagnose(values, chains.starts)
    needed = max(LEAST_EFFECTIVE, PER_CHAIN * count)
    kind, sentence = _judge(chains, values, diagnostics, needed, over_time=over_time)
    return Verdict(kind, sentence, diagnostics, needed)


def _judge(
    chains: Chains, values: Array, numbers: Diagnostics, needed: float, *, over_time: bool
) -> tuple[Kind, str]:
    count = numbers.chains
    stuck = moving(values) < max(2, FEW_MOVES * len(values))
    if stuck.any():
        return Kind.STUCK, _stuck(chains, stuck)
    if chains.dead.any():
        return (
            Kind.STUCK,
            f"The neuron does not answer {_named(chains, chains.dead)}, so that the chains cannot "
            "agree.",
        )
    if np.ptp(values[:, :, 0]) == 0:
        return Kind.SILENT, "The activation never changes, so that the chains tell nothing."
    if not np.isfinite(values).all():
        return Kind.NOT_YET, "Some values are infinite, so that the chains cannot be compared."
    if count == 1:
        return _one_chain(numbers)
    waiting = int((~chains.burned_in).sum())
    if numbers.apart < CHANCE and not (waiting and len(chains.values) < LONGER):
        return Kind.DISAGREE, _disagree(chains, numbers, over_time=over_time)
    if waiting:
        whose = "no chain has" if waiting == count else f"{waiting} of {count} chains have not"
        return Kind.TOO_EARLY, f"Too early to tell: {whose} burned in yet."
    enough = numbers.effective >= needed
    if not (numbers.worst_r_hat < R_HAT and enough):
        return Kind.NOT_YET, _not_yet(numbers, needed)
    if len(set(chains.starts.tolist())) == 1:
        return (
            Kind.ONE_START,
            "All chains began at one image, so that they cannot tell whether others would agree: "
            "restart the chains.",
        )
    return Kind.AGREE, "The chains agree, as far as activation and projections can tell."


def _stuck(chains: Chains, stuck: NDArray[np.bool_]) -> str:
    what = "is held or hardly moves" if stuck.sum() == 1 else "are held or hardly move"
    if stuck.all():
        whole = "The chain" if len(stuck) == 1 else "The chains"
        return f"{whole} {what}, so that nothing can be told."
    whose = _named(chains, stuck)
    return f"{whose[0].upper()}{whose[1:]} {what}, so that the chains cannot agree."


def _named(chains: Chains, chosen: NDArray[np.bool_]) -> str:
    numbers = [chains.numbers[i] for i in np.flatnonzero(chosen)]
    if len(numbers) > 3:
        return f"{len(numbers)} chains"
    return f"{'chain' if len(numbers) == 1 else 'chains'} {', '.join(map(str, numbers))}"


def _one_chain(numbers: Diagnostics) -> tuple[Kind, str]:
    if numbers.worst_r_hat < R_HAT:
        return (
            Kind.ONE_CHAIN,
            "One chain cannot tell: its parts are alike, but another chain may find another image.",
        )
    return Kind.ONE_CHAIN, "One chain cannot tell, and this one is still changing."


def _disagree(chains: Chains, numbers: Diagnostics, *, over_time: bool) -> str:
    if numbers.odd is not None:
        odd = chains.numbers[numbers.odd]
        return f"The chains still disagree: chain {odd} is far from the others."
    if over_time:
        return "The chains still disagree: this average shows one of several images."
    return "The chains still disagree: this average mixes several images."


def _not_yet(numbers: Diagnostics, needed: float) -> str:
    seem = ", and the chains may differ" if numbers.apart < DOUBTFUL else ""
    if not numbers.effective >= needed:
        effective = 0 if np.isnan(numbers.effective) else numbers.effective
        return (
            f"Not settled yet{seem}: the samples are worth {effective:,.0f} independent ones "
            f"of {needed:,.0f} needed."
        )
    return f"Not settled yet{seem}: the chains have not mixed well enough to agree."
