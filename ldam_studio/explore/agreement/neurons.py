"""Verdicts on the chains of each neuron of a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ldam_studio.engine.recording.recorder import Record
from ldam_studio.explore.agreement.verdict import FIRST, Chains, Kind, Verdict, judge
from ldam_studio.networks.neurons import Neuron


@dataclass(frozen=True)
class NeuronVerdict:
    """The verdict on the chains of one neuron with the same settings.

    `chains` are their indices, `samples` the number of samples in the record, `seconds` how long
    those took that were judged.
    """

    neuron: Neuron
    label: str
    chains: tuple[int, ...]
    verdict: Verdict
    samples: int
    stride: int
    seconds: float

    @property
    def effective_per_second(self) -> float | None:
        """The least effective sample size for each second of sampling; None if it is unknown."""
        numbers = self.verdict.diagnostics
        if numbers is None or not self.seconds or not np.isfinite(numbers.effective):
            return None
        return numbers.effective / self.seconds


def verdicts_of(
    record: Record,
    *,
    over_time: bool = True,
    proceed: Callable[[], bool] = lambda: True,
) -> tuple[NeuronVerdict, ...]:
    """Judge the chains of each neuron, in the order of their first chains, without `hot` ones.

    `over_time` tells whether the averages on the screen are not those of all chains. `proceed` is
    asked before each neuron; if it returns False, those that are left are not judged.
    """
    found = []
    for group in dict.fromkeys(record.groups[~record.hot].tolist()):
        if not proceed():
            break
        found.append(_judged(record, np.flatnonzero(record.groups == group), over_time=over_time))
    return tuple(found)


def _judged(record: Record, chains: NDArray[np.int64], *, over_time: bool) -> NeuronVerdict:
    burned_in = record.burned_in[chains]
    since = burned_in.max() if (burned_in >= 0).all() else -1
    chosen = record.steps >= since
    values = record.values[chosen][:, chains].astype(np.float64)
    verdict = judge(
        Chains(
            values=values,
            starts=record.starts[chains],
            burned_in=burned_in >= 0,
            dead=record.dead[chains],
            numbers=tuple(int(i) + 1 for i in chains),
            unsteady=_unsteady(record, len(values)),
        ),
        over_time=over_time,
    )
    if record.learning and verdict.kind is Kind.AGREE:
        sentence = "The chains agree at present, while the discriminator still learns."
        verdict = replace(verdict, sentence=sentence)
    judged = 0 if verdict.diagnostics is None else verdict.diagnostics.samples
    first = int(chains[0])
    return NeuronVerdict(
        record.neurons[first],
        record.labels[first],
        tuple(chains.tolist()),
        verdict,
        len(values),
        record.stride,
        record.seconds * judged / max(1, len(record.steps)),
    )


def _unsteady(record: Record, samples: int) -> str:
    if record.melting:
        return "the chains are melting"
    if record.scheduled:
        return "a schedule still changes the settings"
    if record.moved and samples < FIRST:
        return f"a setting was moved {samples * record.stride} samples ago"
    return ""
