"""What pushing photographs to a class reaches: who names them so, and how far they go."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from row import Row
from torch import Tensor

from ldam_studio.analysis.intervals import wilson
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.explore.classes import probabilities
from ldam_studio.explore.photograph.pushing import STEPS, STEPS_ON_PHOTOGRAPHS, push_settings
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import NO_VIEWS
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet
from ldam_studio.training.photos import draw_crops, find_photos

DIGITS, PHOTOGRAPHS, CLASSES = 40, 20, 3
SQUEEZENET, RESNET = "squeezenet1_0_imagenet.safetensors", "resnet50_v1_imagenet.safetensors"
JUDGE = Path(__file__).with_name("resnet50_v1.py")
PHOTOS = "photos/imagenet_sample_256.zip"
SEED = 2
UNTIL_IT_FLIPS: Mapping[str, Any] = {
    **NO_VIEWS,
    "mode": "exact",
    "objective": "log-probability",
    "step_size": 0.02,
    "l2": 0.02,
    "natural_l2": 0.02,
    "spectrum": 1.0,
    "spectrum_floor": 0.0,
    "colour_correlation": 0.0,
    "jitter": 0,
    "photo_statistics": 0.0,
    "denoiser_weight": 0.0,
}
"""Settings that only convince the network itself, to compare with."""


@dataclass(frozen=True)
class Pushed:
    """What came of one push: what the judge and the network say, and how far it went.

    `picture` is the number of the photograph; `rank` is the place of the class in the judge's list,
    from 0; `share` is the network's own probability; `distance` is the root mean square of what has
    changed.
    """

    picture: int
    rank: int
    share: float
    distance: float


def measure() -> list[Row]:
    """Push digits on LeNet, and photographs on SqueezeNet where both are at hand."""
    sheet = load_digits_sheet().images
    lenet = open_network("lenet")
    digits = sheet[11 :: len(sheet) // DIGITS] / 255
    rows = _rows("digits on LeNet", digits, _pushes(lenet, lenet, digits, 1, STEPS), 1, 0.9)
    data = Path(os.environ.get("LDAM_DATA", ""))
    weights, judging = (data / "weights" / name for name in (SQUEEZENET, RESNET))
    if not (weights.is_file() and judging.is_file() and (data / PHOTOS).is_file()):
        print("no photographs or weights in LDAM_DATA: left out", file=sys.stderr)
        return rows
    network = open_network("torchvision:squeezenet1_0", weights)
    judge = open_network(f"{JUDGE}:resnet50_v1", judging)
    generator = torch.Generator().manual_seed(SEED)
    photos = find_photos(data / PHOTOS)
    crops = draw_crops([photos], PHOTOGRAPHS, network.pixels.shape[1:], generator) / 255
    for what, values, least in (
        ("photographs on SqueezeNet", {}, 0.25),
        ("photographs, only until SqueezeNet's answer flips", UNTIL_IT_FLIPS, None),
    ):
        pushes = _pushes(network, judge, crops, CLASSES, STEPS_ON_PHOTOGRAPHS, values)
        rows += _rows(what, crops, pushes, 5, least)
    return rows


def _pushes(
    network: Network,
    judge: Network,
    pictures: Tensor,
    classes: int,
    steps: int,
    values: Mapping[str, Any] | None = None,
) -> list[Pushed]:
    """Push each picture to random classes other than the one it is named."""
    layer = network.class_layer
    generator = torch.Generator().manual_seed(SEED)
    found = []
    answers = probabilities(network, pictures).argmax(1)
    for at, (picture, named) in enumerate(zip(pictures, answers, strict=True)):
        further = 1 + torch.randperm(layer.neurons - 1, generator=generator)[:classes]
        wanted = (named + further) % layer.neurons
        neurons = tuple(Neuron(layer.name, number) for number in wanted.tolist())
        averages = _push(network, picture, neurons, steps, values or {})
        own, judged = (probabilities(each, averages) for each in (network, judge))
        for chain, number in enumerate(wanted.tolist()):
            found.append(
                Pushed(
                    at,
                    int((judged[chain] > judged[chain, number]).sum()),
                    own[chain, number].item(),
                    (averages[chain] - picture).square().mean().sqrt().item(),
                )
            )
    return found


def _push(
    network: Network,
    picture: Tensor,
    neurons: tuple[Neuron, ...],
    steps: int,
    values: Mapping[str, Any],
) -> Tensor:
    """Return the average of a chain for each neuron, (chains, C, H, W)."""
    settings = Settings.of(**{**push_settings(network, neurons[0]), **values})
    device = choose("cpu", "float32", 1)
    state = open_session(SessionSpec(network, neurons, settings, seed=SEED, device=device))
    kept = KeptPicture(picture, "photograph", "photograph")
    changes = [Change("picture", kept), Change("rest", 0), Change("start_from", StartFrom(0))]
    state, info = advance(state, changes, 0)
    assert not info.refused, info.refused
    for _ in range(steps):
        state, _ = advance(state)
    return state.lane.shown_average().mean


def _rows(
    what: str, pictures: Tensor, pushes: list[Pushed], first: int, least: float | None
) -> list[Row]:
    named = torch.tensor([each.rank < first for each in pushes])
    share = wilson(named, torch.tensor([each.picture for each in pushes]))
    apart = (pictures[None] - pictures[:, None]).square().mean((2, 3, 4)).sqrt()
    distance = torch.tensor([each.distance for each in pushes]).median().item()
    judge = "named" if first == 1 else f"in ResNet-50's first {first}"
    return [
        Row(
            f"{len(pushes)} {what}: {judge} as the class they are pushed to, share",
            share.value,
            "" if least is None else f">= {least:g}",
        ),
        Row(f"{what}: its 95 % interval from", share.low),
        Row(f"{what}: its 95 % interval to", share.high),
        Row(f"{what}: mean probability of that class", sum(e.share for e in pushes) / len(pushes)),
        Row(f"{what}: median distance from the photograph, rms of 0 to 1", distance),
        Row(
            f"{what}: that distance by that of two different ones",
            distance / apart[apart > 0].median().item(),
            "<= 0.5",
        ),
    ]
