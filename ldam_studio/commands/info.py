"""``ldam-studio info``: lists the networks, the layers of one network, or the settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import torch

from ldam_studio import __version__
from ldam_studio.assets import asset
from ldam_studio.commands.shared import flags
from ldam_studio.engine.compute.device import Device, plan_words
from ldam_studio.engine.plans.cache import recall_all
from ldam_studio.engine.tuning import FEW
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources import families
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler import settings_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, None)
    parser.add_argument(
        "--settings", action="store_true", help="what each setting does, in Markdown"
    )
    parser.add_argument("--json", action="store_true", help="print one object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print the requested list; return the exit code.

    Raises
    ------
    StudioError
        If there is no such network, or its weights cannot be read.
    """
    about: Any
    if args.settings:
        about, text = settings_table.about_settings(), settings_table.markdown()
    elif args.network is None:
        if args.weights is not None:
            raise StudioError("--weights needs --network, which names the architecture.")
        about = about_all()
        text = words_on_all(about)
    else:
        about = about_network(flags.network_of(args))
        text = words_on_network(about)
    print(json.dumps(about) if args.json else text)
    return 0


def about_all() -> dict[str, Any]:
    """Return the version, the device, the built-in networks and the families of others."""
    networks = [
        {"name": name, "about": about, "sha256": open_network(name).sha256}
        for name, about in NETWORKS.items()
    ]
    return {
        "version": __version__,
        "torch": torch.__version__,
        "cuda": torch.cuda.is_available(),
        "models": str(asset("models")),
        "networks": networks,
        "families": [
            {"name": family.usage, "about": family.about}
            for family in families.FAMILIES
            if family.is_library or family.runs_code
        ],
    }


def words_on_all(about: dict[str, Any]) -> str:
    """Return `about_all` as text."""
    rows = [(one["name"], one["about"]) for one in (*about["networks"], *about["families"])]
    device = "CUDA" if about["cuda"] else "no CUDA"
    head = f"LDAM Studio {about['version']}, torch {about['torch']}, {device}"
    return f"{head}\nmodels: {about['models']}\n\n{_table(('network', 'what it is'), rows)}"


def about_network(network: Network) -> dict[str, Any]:
    """Return a network's identity, pixels and layers.

    `sha256` is that of the file, `weights_sha256` that of the set of weights that was taken.
    `outputs` are the layers that it returns, `returned` has the layer of each entry of what it
    returns, and `class_layer` is that of the classes; `classes` says in words what else there is.
    `notes` are sentences about what was done when it was opened, `missing` are the weights that its
    file lacks. A layer's receptive field is that of its default place, (top, left, bottom, right),
    or None for the whole image. `plans` are the plans of execution that were measured on this
    computer: layer, size of the image or of the part that the layer needs, number of chains, and
    the plan in words.
    """
    pixels = network.pixels
    return {
        "network": network.name,
        "sha256": network.sha256,
        "weights_sha256": network.own_sha256,
        "weights": None if network.weights is None else str(network.weights),
        "weights_key": network.provenance.weights_key,
        "weights_sets": list(network.provenance.sets),
        "random_seed": network.provenance.random_seed,
        "pixels": {
            "shape": list(pixels.shape),
            "mean": list(pixels.mean),
            "std": list(pixels.std),
            "rest": pixels.rest,
            "range": list(pixels.bounds),
        },
        "labels": list(network.labels),
        "class_layer": network.class_layer.name,
        "classes": "; ".join(filter(None, (network.class_words, network.beside_classes))),
        "outputs": list(network.listing.outputs),
        "returned": dict(network.listing.entries),
        "notes": list(network.provenance.notes),
        "missing": list(network.provenance.matching.missing or ()),
        "layers": [
            {
                "name": layer.name,
                "type": layer.kind,
                "shape": list(layer.shape),
                "neurons": layer.neurons,
                "places": list(layer.places),
                "receptive_field": network.receptive_field(layer.name),
            }
            for layer in network.layers
        ],
        "plans": [
            {
                "layer": found.key.layer,
                "size": found.key.size,
                "chains": found.key.chains,
                "plan": plan_words(Device().with_plan(found.plan)),
            }
            for found in recall_all(network)
        ],
    }


def words_on_network(about: dict[str, Any]) -> str:
    """Return `about_network` as text."""
    rows = [
        (
            layer["name"],
            layer["type"],
            " x ".join(str(size) for size in layer["shape"]),
            str(layer["neurons"]),
            _field(layer["receptive_field"]),
        )
        for layer in about["layers"]
    ]
    size = " x ".join(str(side) for side in about["pixels"]["shape"])
    head = [f"{about['network']}: images of {size}, weights {about['weights_sha256'][:12]}"]
    if about["classes"] != about["class_layer"]:
        head.append(f"classes: {about['classes']}")
    head += about["notes"]
    head += _about_tokens(about["layers"])
    head += [
        f"plan for {one['layer']} at {one['size']} and {_chains(one['chains'])}: {one['plan']}"
        for one in about["plans"]
    ]
    return "\n".join([*head, "", _table(("layer", "type", "shape", "neurons", "sees"), rows)])


def _about_tokens(layers: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence about addresses of layers with tokens, if there are any."""
    found = next((layer for layer in layers if len(layer["places"]) == 1), None)
    if found is None:
        return []
    name, (tokens,) = found["name"], found["places"]
    return [
        f"A neuron of a layer with tokens is the mean over all of them ({name}:0: over {tokens}), "
        f"unless its address names one: {name}:0@0 is that of the first token."
    ]


def _chains(count: int) -> str:
    if count == FEW:
        return f"{FEW} or more chains"
    return "1 chain" if count == 1 else f"{count} chains"


def _field(box: Sequence[int] | None) -> str:
    if box is None:
        return "the whole image"
    top, left, bottom, right = box
    return f"{bottom - top} x {right - left}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)
