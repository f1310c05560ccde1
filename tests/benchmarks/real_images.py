"""How long it takes to index real images: the shipped digits, and photographs by SqueezeNet."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from row import Row

from ldam_studio.engine.plans.cache import cores
from ldam_studio.explore.real_images.data_sets import DIGITS
from ldam_studio.explore.real_images.index import open_index
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.sources import Spec, spec_of
from ldam_studio.explore.real_images.standing import QUANTILES
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network

DATA = Path(os.environ.get("LDAM_DATA", "data"))
WEIGHTS = DATA / "weights" / "squeezenet1_0_imagenet.safetensors"
PHOTOGRAPHS = DATA / "photos" / "imagenet_sample_256.zip"


def measure() -> list[Row]:
    """Index in an empty cache, all layers, then ask for a neuron's images."""
    torch.set_num_threads(max(1, min(2, cores())))
    before = os.environ.get("LDAM_CACHE_DIR")
    with TemporaryDirectory() as cache:
        os.environ["LDAM_CACHE_DIR"] = cache
        try:
            rows = _rows("5,000 digits, all layers of LeNet", open_network("lenet"), DIGITS, 20)
            if WEIGHTS.is_file() and PHOTOGRAPHS.is_file():
                network = open_network("torchvision:squeezenet1_0", WEIGHTS)
                what = "1,000 photographs, all layers of SqueezeNet"
                rows += _rows(what, network, str(PHOTOGRAPHS), 180)
            else:
                print(f"no weights and photographs in {DATA}", file=sys.stderr)
        finally:
            if before is None:
                del os.environ["LDAM_CACHE_DIR"]
            else:
                os.environ["LDAM_CACHE_DIR"] = before
    return rows


def _rows(what: str, network: Network, images: str, most: int) -> list[Row]:
    spec = spec_of(images) if images != DIGITS else Spec(DIGITS)
    layers = [layer.name for layer in network.layers]
    spent, began = time.process_time(), time.perf_counter()
    build(network, spec, layers)
    seconds, work = time.perf_counter() - began, time.process_time() - spent
    began = time.perf_counter()
    index = open_index(network, spec)
    assert index is not None
    responses = index.responses(Neuron(network.class_layer.name, 0))
    index.top(responses, 12)
    index.at_quantiles(responses, QUANTILES)
    asked = time.perf_counter() - began
    return [
        Row(f"{what}: seconds", seconds, f"<= {most}"),
        Row(f"{what}: seconds of processor time", work),
        Row(f"{what}: seconds until a neuron's images are known", asked, "<= 2"),
    ]
