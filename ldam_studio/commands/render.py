"""``ldam-studio render``: sample without a window and write the pictures."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.beside import add_beside, beside_of
from ldam_studio.commands.shared.interrupt import interruptible
from ldam_studio.commands.shared.neurons import neurons_of
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.commands.shared.settings_flags import add_settings, settings_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import lane_name, unmatched
from ldam_studio.engine.picture import DISPLAYS
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.silent_neurons import dead_neurons, sentence
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.png import draft
from ldam_studio.export.shown import MAX_ZOOM, Shown
from ldam_studio.files import check_folder
from ldam_studio.networks.discriminators import (
    DiscriminatorModel,
    discriminator_for,
    open_discriminator,
)
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import SETTINGS

MAX_STEPS = 1_000_000_000
DEFAULT_NEURONS = 10
REDRAW_S = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, "lenet")
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:N",
        help="fc3:4, a range as fc3:0-9, or a class by its name; behind an address @Y,X, @TOKEN or "
        "@mean for a place; with a minus before it (--neuron=-fc3:4) to be made small. May be "
        "given several times, for one layer. Default: the first "
        f"{DEFAULT_NEURONS} of the last layer",
    )
    parser.add_argument(
        "--chains",
        type=flags.whole_number("--chains", 1, int(SETTINGS["chains"].maximum)),
        metavar="N",
        help="how many chains in all, spread evenly over the neurons, at least one for each. "
        "Default: one for each",
    )
    parser.add_argument(
        "--steps", type=flags.whole_number("--steps", 1, MAX_STEPS), default=500, metavar="N"
    )
    parser.add_argument(
        "--seed", type=flags.whole_number("--seed", 0, 2**63 - 1), default=0, metavar="N"
    )
    parser.add_argument("--discriminator-weights", type=Path, metavar="FILE")
    parser.add_argument(
        "--learn-every",
        type=flags.whole_number("--learn-every", 0, int(SETTINGS["learn_every"].maximum)),
        default=0,
        metavar="N",
        help=SETTINGS["learn_every"].help,
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where it learns what is real; default: shipped"
    )
    add_settings(parser)
    add_beside(parser)
    flags.add_device(parser)
    group = parser.add_argument_group("what is written")
    group.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    group.add_argument("--display", default="signed", metavar="|".join(DISPLAYS))
    group.add_argument(
        "--zoom", type=flags.whole_number("--zoom", 1, MAX_ZOOM), default=1, metavar="N"
    )
    group.add_argument(
        "--arrays", action="store_true", help="chains.npz as well: x, average, activation"
    )
    group.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Sample and write; return the exit code, 130 after Ctrl-C.

    Raises
    ------
    StudioError
        Something asked for is not there or out of range, a chain exploded, or a file cannot be
        written.
    """
    shown = Shown("averages", display=args.display, zoom=args.zoom)
    spec = spec_of(args)
    thin = max(lane.settings.thin for lane in spec.outline.lanes)
    if thin > args.steps:
        raise StudioError(
            f"With a thinning of {thin}, {args.steps} steps give no sample; take more steps or "
            "lower --thin."
        )
    check_folder(args.out)
    rendered = sample(open_session(spec), args.steps, keep_activation=args.arrays)
    paths = write(rendered, shown, args.out, arrays=args.arrays)
    report = report_of(rendered, paths)
    if args.json:
        print(json.dumps(report))
    else:
        print(in_words(report))
    return INTERRUPTED if rendered.interrupted else 0


def spec_of(args: argparse.Namespace) -> SessionSpec:
    """Return the session that the flags describe.

    Raises
    ------
    StudioError
        If there is no such preset, network, layer, neuron, device or file.
    """
    preset = flags.preset_of(args)
    network = flags.network_of(args)
    for note in network.provenance.notes:
        print(f"ldam-studio: {note}", file=sys.stderr)
    fits = discriminator_for(network) is not None
    settings = settings_of(args, preset, network.pixels, discriminator=fits)
    neurons = neurons_of(args.neuron, network)
    outputs = network.layers[-1].neurons
    neurons = neurons or list(network.default_neurons(min(outputs, DEFAULT_NEURONS)))
    for neuron in neurons:
        network.check(neuron)
    beside = beside_of(args, network)
    others = () if beside is None else (beside.spec(settings),)
    both = [settings] if beside is None else [settings, beside.settings(settings)]
    wanted = any(s.discriminator_weight != 0 for s in both) or args.learn_every
    return SessionSpec(
        network=network,
        neurons=spread(neurons, args.chains),
        settings=settings,
        seed=args.seed,
        discriminator=_discriminator(network, args.discriminator_weights) if wanted else None,
        device=flags.device_of(args),
        learn_every=args.learn_every,
        data=args.data,
        beside=others,
    )


def spread(neurons: list[Neuron], chains: int | None) -> tuple[Neuron, ...]:
    """Give each neuron its chains, next to one another: as many as the others, or one more."""
    count = max(len(neurons), chains or 0)
    return tuple(neurons[i * len(neurons) // count] for i in range(count))


def _discriminator(network: Network, weights: Path | None) -> DiscriminatorModel:
    name = discriminator_for(network)
    if name is None:
        raise StudioError(
            f"There is no discriminator for {network.name}; set --discriminator-weight to 0."
        )
    return open_discriminator(name, weights)


@dataclass
class Rendered:
    """A session after its steps.

    `activation` is one (chains,) tensor a step, of the pixels before it; empty unless kept.
    `began_anew` tells whether averages that had no burn-in began anew at half time.
    """

    state: SessionState
    activation: list[torch.Tensor]
    seconds: float
    interrupted: bool
    began_anew: bool = False


def sample(state: SessionState, steps: int, *, keep_activation: bool) -> Rendered:
    """Take `steps` steps, or fewer if somebody presses Ctrl-C.

    At half time the averages of chains that are not burned in begin anew, so that a chain that
    never burns in shows the average of the last half.

    Raises
    ------
    StudioError
        If a chain left the finite numbers.
    """
    activation: list[torch.Tensor] = []
    thin = state.lane.settings.thin
    half = steps // 2
    forget = [Change("reset_average", "unfinished")] if steps // thin * thin > half else []
    with interruptible() as wish, progress() as bar:
        task = bar.add_task("sampling", total=steps)
        began = drawn = time.monotonic()
        while state.step < steps and not wish.stop:
            state, info = advance(state, forget if state.step == half else ())
            if info.refused:
                raise StudioError(info.refused[0])
            if keep_activation and info.lanes:
                activation.append(info.lanes[0].activation)
            if (now := time.monotonic()) - drawn > REDRAW_S:
                bar.update(task, completed=state.step)
                drawn = now
        seconds = time.monotonic() - began
    began_anew = bool(forget) and state.step > half
    return Rendered(state, activation, seconds, state.step < steps, began_anew)


def write(rendered: Rendered, shown: Shown, folder: Path, *, arrays: bool) -> dict[str, Path]:
    """Write pictures, and arrays if asked for, all or none; returns their paths.

    An interruption before the first sample leaves no average to write.
    """
    state = rendered.state
    pictures = {}
    if all(bool((lane.shown_average().count > 0).all()) for lane in state.lanes):
        pictures["average"] = (folder / "average.png", shown)
    raw = Shown("strip", display=shown.display, zoom=shown.zoom)
    pictures["raw"] = (folder / "raw.png", raw)
    paths = {name: path for name, (path, _) in pictures.items()}
    others: dict[Path, bytes] = {}
    if arrays:
        paths["arrays"] = folder / "chains.npz"
        others[paths["arrays"]] = _arrays(rendered)
    made = draft(state, dict(pictures.values()))
    made.write(state, others)
    if (sidecar := made.exported[0].sidecar) is not None:
        paths["sidecar"] = sidecar
    return paths


def _arrays(rendered: Rendered) -> bytes:
    lane, *others = rendered.state.lanes
    chains = len(lane.neurons)
    beside: dict[str, Any] = {}
    for second in others:
        beside["second_x"] = second.chains.x.cpu().numpy()
        beside["second_average"] = second.shown_average().mean.cpu().numpy()
    activation = rendered.activation or [torch.empty(0, chains)]
    file = BytesIO()
    np.savez_compressed(
        file,
        x=lane.chains.x.cpu().numpy(),
        average=lane.shown_average().mean.cpu().numpy(),
        activation=torch.stack(activation).reshape(-1, chains).cpu().numpy(),
        **beside,
    )
    return file.getvalue()


def report_of(rendered: Rendered, paths: dict[str, Path]) -> dict[str, Any]:
    """Return what ``--json`` prints; under `second` what is compared with, if there is such.

    `activation` is that of the raw samples as written; `burned_in` tells whether every chain was,
    and `samples_averaged` is the smallest number of all chains. `chains` has them one by one.
    `dead` names neurons that gave no gradient. `notes` are sentences about all this.
    """
    state = rendered.state
    first, *others = state.lanes
    beside = {"second": _report_of_lane(others[0])} if others else {}
    return {
        **_report_of_lane(first),
        "steps": state.step,
        "steps_per_second": round(state.step / rendered.seconds, 2) if rendered.seconds else 0.0,
        "device": state.device.name,
        "seed": state.seed,
        "interrupted": rendered.interrupted,
        "notes": _notes(rendered),
        "paths": {name: str(path) for name, path in paths.items()},
        **beside,
    }


def _report_of_lane(lane: Lane) -> dict[str, Any]:
    with torch.no_grad():
        activation = lane.activation(lane.chains.x)
    counts = lane.shown_average().count.tolist()
    burned_in = lane.progress.done.tolist()
    rows = zip(lane.neurons, activation.tolist(), burned_in, counts, strict=True)
    return {
        "network": lane.network.name,
        "neurons": [str(neuron) for neuron in dict.fromkeys(lane.neurons)],
        "activation": activation.tolist(),
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


def _notes(rendered: Rendered) -> list[str]:
    """Return what is to be known of the pictures, in sentences."""
    state = rendered.state
    first, *others = state.lanes
    if not others:
        return _notes_on(first, rendered)
    notes = [
        f"{lane_name(number)}: {note}"
        for number, lane in enumerate(state.lanes)
        for note in _notes_on(lane, rendered)
    ]
    missing = (unmatched(lane.network, first.neurons, lane.neurons) for lane in others)
    return [*notes, *filter(None, missing)]


def _notes_on(lane: Lane, rendered: Rendered) -> list[str]:
    state = rendered.state
    chains, done = len(lane.neurons), int(lane.progress.done.sum())
    notes = []
    if done < chains:
        which, its = "The chain has", "its average is"
        if chains > 1:
            which, its = f"{chains - done} of {chains} chains have", "their averages are"
        part = "the last half of the run" if rendered.began_anew else "all samples since the start"
        notes.append(f"{which} not burned in after {state.step:,} steps; {its} of {part}.")
    silence = sentence(lane.waking, lane.neurons)
    return [*notes, silence] if silence else notes


def in_words(report: dict[str, Any]) -> str:
    """Return the report as a person reads it."""
    chains = report["chains"]
    neurons = report["neurons"]
    named = ", ".join(neurons) if len(neurons) <= 4 else f"{neurons[0]} to {neurons[-1]}"
    lines = [
        f"{report['network']} {named}: {report['steps']:,} steps of "
        f"{len(chains)} chain{'s' * (len(chains) > 1)}, {report['steps_per_second']:g} steps/s",
    ]
    if "second" in report:
        lines.append(f"beside it {report['second']['network']}: A above or left, B below or right")
    lines.extend(report["notes"])
    lines.extend(report["paths"].values())
    return "\n".join(lines)
