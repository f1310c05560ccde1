"""``ldam-studio paper fig10``: the weight of a prior of photographs, from little to much.

The prior is the denoiser or, as in the paper, a discriminator. Class neurons and inner neurons have
the same starts and noise at each weight, and are averaged over a window of frames. The numbers
beside the picture are the share of the power in low spatial frequencies. This share rises with the
weight if the prior removes the fine noise to which networks respond and which photographs do not
have (Jiang et al., arXiv 1812.04604).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ldam_studio.analysis.intervals import Interval, bootstrap, mean
from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.commands.paper import photographs
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import Figure, Page, rounded
from ldam_studio.commands.shared.neurons import spread_classes
from ldam_studio.commands.shared.progress import Steps
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import sheet
from ldam_studio.networks.denoisers import DENOISERS, PHOTO_DENOISER, denoiser_for
from ldam_studio.networks.discriminators import DiscriminatorModel, discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.settings import Settings
from ldam_studio.scripting.neurons import neurons_of

DENOISER, DISCRIMINATOR = "denoiser", "discriminator"
WEIGHTS: Mapping[str, tuple[float, ...]] = {
    DENOISER: (0.0, 0.1, 0.3, 1.0, 3.0),
    DISCRIMINATOR: (0.0, 0.25, 0.5, 0.75),
}
"""The weights by prior."""

DENOISING: Mapping[str, float] = {"denoiser_noise": 0.2, "denoiser_every": 1}
"""Settings with which the denoiser also shapes large structures."""

CLASSES, INNER_LAYERS, INNER_NEURONS = 6, 2, 3


@dataclass(frozen=True)
class Row:
    """Measures of one chain for each neuron, at one weight of the prior.

    Attributes
    ----------
    weight
        The weight.
    averages
        Averages over the window, (neurons, C, H, W).
    low, low_varied, low_raw
        Share of the power in low frequencies, (neurons,): of the averages, of the averages without
        their mean colour (since a uniform tint is not a natural image), and of the last samples.
    activation, real_probability
        For the last samples, (neurons,): the neuron's activation, and the probability that they are
        real; None without a discriminator.
    """

    weight: float
    averages: Tensor
    low: Tensor
    low_varied: Tensor
    low_raw: Tensor
    activation: Tensor
    real_probability: Tensor | None = None


def default_neurons(network: Network) -> tuple[Neuron, ...]:
    """Return neurons spread over the classes, and over two convolutions inside the network."""
    convolutions = [la for la in network.layers[:-1] if la.kind == "Conv2d" and len(la.places) == 2]
    inner = [
        convolutions[(number + 1) * len(convolutions) // (INNER_LAYERS + 1)]
        for number in range(INNER_LAYERS if convolutions else 0)
    ]
    classes = spread_classes(network, min(CLASSES, network.class_layer.neurons))
    return classes + tuple(
        Neuron(layer.name, i * layer.neurons // INNER_NEURONS)
        for layer in dict.fromkeys(inner)
        for i in range(min(INNER_NEURONS, layer.neurons))
    )


def sample(
    network: Network,
    neurons: Sequence[Neuron],
    discriminator: DiscriminatorModel | None,
    settings: Settings,
    weight: float,
    seed: int,
    device: Device,
    steps: int,
    on_step: OnStep = lambda: None,
) -> Row:
    """Run a chain for each neuron, those of one layer together, and measure them at the end.

    Runs with equal neurons, seeds and steps have equal starts and noise, for any settings.
    """
    found: dict[Neuron, tuple[Tensor, ...]] = {}
    rest = network.pixels.rest
    for layer in dict.fromkeys(neuron.layer for neuron in neurons):
        chosen = tuple(neuron for neuron in neurons if neuron.layer == layer)
        spec = SessionSpec(network, chosen, settings, seed, discriminator, device)
        lane = run_on(open_session(spec), steps, on_step).lane
        x, average = lane.chains.x, lane.average.mean
        with torch.no_grad():
            values = [lane.activation(x)]
            if discriminator is not None:
                values.append(discriminator.module(x).sigmoid())
        varied = low_share(average - average.mean((2, 3), keepdim=True), 0.0)
        columns = (average, low_share(average, rest), varied, low_share(x, rest), *values)
        cpu = [column.cpu() for column in columns]
        found |= {neuron: tuple(c[i] for c in cpu) for i, neuron in enumerate(chosen)}
    stacked = (torch.stack(column) for column in zip(*(found[n] for n in neurons), strict=True))
    return Row(weight, *stacked)


def summary(row: Row, is_class: Tensor) -> dict[str, Any]:
    """Return a row's numbers in JSON's types; `is_class` (neurons,) marks the class neurons."""
    found: dict[str, Any] = {
        "weight": row.weight,
        "low_frequencies": bootstrap(row.low, mean).json(),
        "low_frequencies_without_mean_colour": bootstrap(row.low_varied, mean).json(),
        "low_frequencies_raw": bootstrap(row.low_raw, mean).json(),
    }
    for name, chosen in (("class", is_class), ("inner", ~is_class)):
        if bool(chosen.any()):
            found[f"low_frequencies_{name}"] = bootstrap(row.low[chosen], mean).json()
    found["by_neuron"] = {
        name: rounded(column)
        for name, column in (
            ("low_frequencies", row.low),
            ("low_frequencies_without_mean_colour", row.low_varied),
            ("low_frequencies_raw", row.low_raw),
            ("activation", row.activation),
            ("real_probability", row.real_probability),
        )
        if column is not None
    }
    return found


def rise(rows: Sequence[Row]) -> Interval:
    """Return the increase of the share in low frequencies from the first weight to the last."""
    return bootstrap(rows[-1].low - rows[0].low, mean)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    photographs.add_common(parser)
    parser.add_argument(
        "--prior",
        choices=list(WEIGHTS),
        default=DENOISER,
        help="what pulls towards photographs: the denoiser (the default), or a discriminator as in "
        "the paper",
    )
    parser.add_argument(
        "--neuron",
        action="append",
        metavar="LAYER:N",
        help="as in render, in any layers. Default: some spread over the classes, and over two "
        "layers inside the network",
    )


def make(args: argparse.Namespace, steps: Steps) -> Page:
    """Sample and measure the neurons' chains at each weight of the prior."""
    device, preset = flags.device_of(args), photographs.preset_of(args)
    network = flags.network_of(args)
    discriminator = _discriminator(args, network)
    neurons = tuple(dict.fromkeys(neurons_of(args.neuron, network))) or default_neurons(network)
    settings = {
        weight: _settings(args, preset, network.pixels, weight) for weight in WEIGHTS[args.prior]
    }
    length = args.steps + args.window
    steps.start(length * len({neuron.layer for neuron in neurons}) * len(settings))
    rows = [
        sample(network, neurons, discriminator, one, weight, args.seed, device, length, steps)
        for weight, one in settings.items()
    ]
    is_class = torch.tensor([neuron.layer == network.class_layer.name for neuron in neurons])
    summaries = [summary(row, is_class) for row in rows]
    rising = rise(rows)
    labels = [network.label(neuron) for neuron in neurons]
    lines = [
        photographs.pictures(row.averages, network.pixels, settings[row.weight]) for row in rows
    ]
    words = [f"w = {row.weight:g}" for row in rows]
    return Page(
        sheet(lines, words, labels, photographs.zoom_for(network.pixels)),
        {
            "network": network.reference,
            "prior": args.prior,
            "discriminator": None if discriminator is None else discriminator.reference,
            "neurons": [str(neuron) for neuron in neurons],
            "labels": labels,
            "seed": args.seed,
            "preset": preset.name,
            "steps": args.steps,
            "window": args.window,
            "machine": device.json(),
            "radius_cycles_per_pixel": RADIUS,
            "rows": summaries,
            "rise": rising.json(),
        },
        _table(rows, summaries, rising),
    )


def _discriminator(args: argparse.Namespace, network: Network) -> DiscriminatorModel | None:
    """Return the discriminator of the figure; None if it is about the denoiser.

    Raises
    ------
    StudioError
        If the prior does not take the network's images.
    """
    if args.prior == DISCRIMINATOR:
        return discriminator_of(
            network,
            args.discriminator_weights,
            "the figure is about its weight, so choose a network for RGB images of about 224 "
            "pixels",
        )
    if denoiser_for(network.pixels) != PHOTO_DENOISER:
        raise StudioError(
            f"The denoiser takes {DENOISERS[PHOTO_DENOISER]}, but {network.name} takes images of "
            f"{network.pixels.shape}; choose another network."
        )
    return None


def _settings(
    args: argparse.Namespace, preset: Preset, pixels: PixelSpec, weight: float
) -> Settings:
    """Return a preset's settings with this weight of the prior, and of no other."""
    if args.prior == DISCRIMINATOR:
        return photographs.settings_of(args, preset, pixels, weight)
    settings = photographs.settings_of(args, preset, pixels, 0.0)
    return settings.with_values({**DENOISING, "denoiser_weight": weight})


def _table(rows: Sequence[Row], summaries: Sequence[dict[str, Any]], rising: Interval) -> list[str]:
    lines = [
        f"share of the power below {RADIUS:g} cycles per pixel, of averages minus rest colour, "
        f"mean of {len(rows[0].low)} neurons (95 % bootstrap interval):",
        "weight  averages                class  inner  no mean colour  raw samples  P(real)",
    ]
    for row, found in zip(rows, summaries, strict=True):
        parts = (found.get(f"low_frequencies_{name}") for name in ("class", "inner"))
        class_, inner = ("-" if part is None else f"{part['value']:.3f}" for part in parts)
        columns = (row.low_varied, row.low_raw, row.real_probability)
        varied, raw, real = ("-" if c is None else f"{float(c.mean()):.3f}" for c in columns)
        lines.append(
            f"{row.weight:6.2f}  {bootstrap(row.low, mean)}  {class_:>5}  {inner:>5}  "
            f"{varied:>14}  {raw:>11}  {real}"
        )
    first, last = rows[0].weight, rows[-1].weight
    return [*lines, f"rise from {first:g} to {last:g}, neuron by neuron: {rising}"]


run = Figure("fig10", "Figure 10", make).run
