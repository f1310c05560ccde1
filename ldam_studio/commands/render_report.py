"""The report of ``ldam-studio render``, as JSON and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ldam_studio.engine import field_checks
from ldam_studio.engine.balanced import without_statistics
from ldam_studio.engine.comparison import lane_name, unmatched
from ldam_studio.engine.silent_neurons import dead_neurons, sentence
from ldam_studio.engine.state import Lane
from ldam_studio.export.arrays import on_whole_images
from ldam_studio.networks.anatomy.class_values import ACTIVATION
from ldam_studio.scripting.course import Sampled

MOST_VERDICTS = 10
"""Neurons of which the text says whether their chains agree."""


def report_of(sampled: Sampled, paths: dict[str, Path]) -> dict[str, Any]:
    """Return the object that ``--json`` prints.

    `activation` is that of the raw samples. With another `objective` than the activation,
    `objective_value` has its values, which the chains make large. `burned_in` says whether all
    chains are burned in, and `samples_averaged` is the smallest number over all chains; `chains`
    has the values of each chain. `dead` lists neurons that gave no gradient, and `notes` are
    sentences. `agreement` says of each neuron whether its chains agree, in a word and a sentence.
    `second` has the same about the network beside the first, if there is one.
    """
    state = sampled.state
    first, *others = state.lanes
    beside = {"second": _report_of_lane(others[0])} if others else {}
    return {
        **_report_of_lane(first),
        "steps": state.step,
        "steps_per_second": round(state.step / sampled.seconds, 2) if sampled.seconds else 0.0,
        "device": state.device.name,
        "seed": state.seed,
        "interrupted": sampled.interrupted,
        "agreement": [
            {
                "neuron": str(found.neuron),
                "chains": [chain + 1 for chain in found.chains],
                "verdict": found.verdict.kind.value,
                "sentence": found.verdict.sentence,
            }
            for found in sampled.agreement
        ],
        "notes": _notes(sampled),
        "paths": {name: str(path) for name, path in paths.items()},
        **beside,
    }


def _report_of_lane(lane: Lane) -> dict[str, Any]:
    activation = on_whole_images(lane)
    climbs_activation = lane.objective == ACTIVATION
    values = None if climbs_activation else on_whole_images(lane, lane.targets.units.class_value)
    counts = lane.shown_average().count.tolist()
    burned_in = lane.progress.done.tolist()
    rows = zip(lane.neurons, activation.tolist(), burned_in, counts, strict=True)
    return {
        "network": lane.network.name,
        "neurons": [str(neuron) for neuron in dict.fromkeys(lane.neurons)],
        "activation": activation.tolist(),
        "objective": lane.objective,
        **({} if values is None else {"objective_value": values.tolist()}),
        "burned_in": all(burned_in),
        "samples_averaged": min(counts),
        "dead": dead_neurons(lane.waking, lane.neurons),
        "chains": [
            {
                "neuron": str(neuron),
                "label": lane.network.label(neuron),
                "activation": value,
                "burned_in": done,
                "samples_averaged": count,
            }
            for neuron, value, done, count in rows
        ],
    }


def _notes(sampled: Sampled) -> list[str]:
    """Return sentences that help to read the pictures."""
    state = sampled.state
    first, *others = state.lanes
    if not others:
        return _notes_on(first, sampled)
    notes = [
        f"{lane_name(number)}: {note}"
        for number, lane in enumerate(state.lanes)
        for note in _notes_on(lane, sampled)
    ]
    missing = (unmatched(lane.network, first.neurons, lane.neurons) for lane in others)
    return [*notes, *filter(None, missing)]


def _notes_on(lane: Lane, sampled: Sampled) -> list[str]:
    state = sampled.state
    chains, done = len(lane.neurons), int(lane.progress.done.sum())
    notes = []
    if done < chains:
        late = chains - done
        which, its = (
            "The chain has" if chains == 1 else f"1 of {chains} chains has",
            "its average is",
        )
        if late > 1:
            which, its = f"{late} of {chains} chains have", "their averages are"
        part = "the last half of the run" if sampled.began_anew else "all samples since the start"
        notes.append(f"{which} not burned in by step {state.step:,}; {its} of {part}.")
    silence = sentence(lane.waking, lane.neurons)
    return [*notes, *filter(None, (silence, field_checks.sentence(lane), without_statistics(lane)))]


def in_words(report: dict[str, Any]) -> str:
    """Return the report as text."""
    chains = report["chains"]
    neurons = report["neurons"]
    named = ", ".join(neurons) if len(neurons) <= 4 else f"{neurons[0]} to {neurons[-1]}"
    lines = [
        f"{report['network']} {named}: {report['steps']:,} steps of "
        f"{len(chains)} chain{'s' * (len(chains) > 1)}, {report['steps_per_second']:g} steps/s",
    ]
    if "second" in report:
        lines.append(f"beside it {report['second']['network']}: A above or left, B below or right")
    compared = [found for found in report["agreement"] if len(found["chains"]) > 1]
    for found in compared[:MOST_VERDICTS]:
        lines.append(
            f"{found['neuron']}: {found['sentence']}" if compared[1:] else found["sentence"]
        )
    if len(compared) > MOST_VERDICTS:
        lines.append(f"{len(compared) - MOST_VERDICTS} further neurons: see --json")
    lines.extend(report["notes"])
    lines.extend(report["paths"].values())
    return "\n".join(lines)
