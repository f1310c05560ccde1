"""What pushing photographs to a class reaches: how many are named so, and how far they go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from row import Row
from torch import Tensor

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
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet
from ldam_studio.training.photos import draw_crops, find_photos

DIGITS, PHOTOGRAPHS = 40, 20
SQUEEZENET = "torchvision:squeezenet1_0"
PLACES = {"weights": "weights/squeezenet1_0_imagenet.safetensors"}
PHOTOS = "photos/imagenet_sample_256.zip"


def measure() -> list[Row]:
    """Push digits on LeNet, and photographs on SqueezeNet where both are at hand."""
    sheet = load_digits_sheet().images
    lenet = open_network("lenet")
    rows = _pushed("digits on LeNet", lenet, sheet[11 :: len(sheet) // DIGITS] / 255, STEPS, 0.9)
    data = Path(os.environ.get("LDAM_DATA", ""))
    weights, photos = data / PLACES["weights"], data / PHOTOS
    if not (weights.is_file() and photos.is_file()):
        print("no photographs or weights of SqueezeNet in LDAM_DATA: left out", file=sys.stderr)
        return rows
    network = open_network(SQUEEZENET, weights)
    generator = torch.Generator().manual_seed(0)
    crops = draw_crops([find_photos(photos)], PHOTOGRAPHS, network.pixels.shape[1:], generator)
    return [
        *rows,
        *_pushed("photographs on SqueezeNet", network, crops / 255, STEPS_ON_PHOTOGRAPHS, 0.9),
    ]


def _pushed(what: str, network: Network, pictures: Tensor, steps: int, share: float) -> list[Row]:
    """Push each picture to a random class that is not the one it is named."""
    layer = network.class_layer
    generator = torch.Generator().manual_seed(1)
    named = probabilities(network, pictures).argmax(1)
    further = torch.randint(1, layer.neurons, (len(pictures),), generator=generator)
    wanted = (named + further) % layer.neurons
    reached, sure, far = [], [], []
    for picture, number in zip(pictures, wanted.tolist(), strict=True):
        average = _push(network, picture, Neuron(layer.name, number), steps)
        found = probabilities(network, average[None])[0]
        reached.append(int(found.argmax()) == number)
        sure.append(found[number].item())
        far.append((average - picture).square().mean().sqrt().item())
    apart = (pictures[None] - pictures[:, None]).square().mean((2, 3, 4)).sqrt()
    others = apart[apart > 0].median().item()
    return [
        Row(
            f"{len(reached)} {what}: named as the class they are pushed to, share",
            sum(reached) / len(reached),
            f">= {share:g}",
        ),
        Row(f"{what}: mean probability of that class", sum(sure) / len(sure)),
        Row(
            f"{what}: median distance from the photograph, rms of 0 to 1",
            torch.tensor(far).median().item(),
        ),
        Row(
            f"{what}: that distance by that of two different ones",
            torch.tensor(far).median().item() / others,
            "<= 0.5",
        ),
    ]


def _push(network: Network, picture: Tensor, neuron: Neuron, steps: int) -> Tensor:
    settings = Settings.of(**push_settings(network, neuron))
    state = open_session(
        SessionSpec(network, (neuron,), settings, device=choose("cpu", "float32", 1))
    )
    kept = KeptPicture(picture, "photograph", "photograph")
    changes = [Change("picture", kept), Change("rest", 0), Change("start_from", StartFrom(0))]
    state, info = advance(state, changes, 0)
    assert not info.refused, info.refused
    for _ in range(steps):
        state, _ = advance(state)
    return state.lane.shown_average().mean[0]
