"""Giving a module random weights, as it would have before any training."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor, nn

RESETS = ("reset_parameters", "_reset_parameters")
"""Methods with which torch's own layers, and many others, draw their weights."""


def randomise(module: nn.Module, seed: int) -> None:
    """Draw a module's weights anew, in place, with torch's random numbers of a seed.

    Each layer draws its own. The values of a weight that no layer draws are shuffled: their size
    stays as it was, and what was learned is lost.
    """
    torch.manual_seed(seed)  # what built the module may have set its own
    for part in module.modules():
        own = [p for p in part.parameters(recurse=False) if p.numel() > 1]
        before = [p.detach().clone() for p in own]
        for name in RESETS:
            reset = getattr(part, name, None)
            if callable(reset):
                with contextlib.suppress(Exception):  # it may need arguments
                    reset()
                    break
        for parameter, was in zip(own, before, strict=True):
            if torch.equal(parameter, was):
                _shuffle(parameter)


def _shuffle(parameter: Tensor) -> None:
    with torch.no_grad():
        flat = parameter.flatten()
        parameter.copy_(flat[torch.randperm(len(flat))].reshape(parameter.shape))
