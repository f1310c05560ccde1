"""What bfloat16 brings for network and gradient, where the processor computes in it."""

from __future__ import annotations

import sys
from dataclasses import replace

import torch
from crops import compared
from row import Row

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.lane import activation_of
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.tuning import computes_in_bfloat16
from ldam_studio.networks.sources.opening import Options, open_network

CHAINS = 4
NETWORKS = ("resnet18", "alexnet")


def measure() -> list[Row]:
    """Compare the times of the class neurons' gradient; no rows on another processor."""
    if not computes_in_bfloat16("cpu"):
        print("this processor does not compute in bfloat16: not measured", file=sys.stderr)
        return []
    torch.set_num_threads(1)
    rows = []
    for name in NETWORKS:
        network = open_network(f"torchvision:{name}", options=Options(untrained=True))
        device = choose("cpu", "float32")
        lane = open_session(
            SessionSpec(network, network.default_neurons(CHAINS), device=device)
        ).lane
        whole = activation_of(lane, device)
        half = activation_of(lane, replace(device, precision="bfloat16"))
        x = lane.chains.x
        rows += compared(
            f"{name} class neurons: network and gradient, float32 / bfloat16",
            lambda x=x, f=whole: f(x),
            lambda x=x, f=half: f(x),
            ">= 1.6",
        )
    return rows
