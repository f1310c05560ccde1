"""Checkpoints of LeNet for the window to watch, each with weights of its own."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch

from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.checkpoint_headers import KEY
from ldam_studio.networks.weights.weights import write_weights


@cache
def _weights() -> dict[str, torch.Tensor]:
    return open_network("lenet").module.state_dict()


def leave(folder: Path, step: int, *, spoilt: float = 0.0, **about: float) -> Path:
    """Write LeNet's weights, a little larger with each step; `spoilt` is added to all of them."""
    state = {k: v * (1 + step / 10_000) + spoilt for k, v in _weights().items()}
    path = folder / f"lenet-{step:06d}.safetensors"
    write_weights(path, state, {KEY: json.dumps({"step": step, **about})})
    return path
