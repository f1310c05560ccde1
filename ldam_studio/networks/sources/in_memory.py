"""A module in the memory of a Python program, which no name leads back to."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.sources.family import Source

PREFIX = "memory:"


def name_of(module: nn.Module) -> str:
    """Return the name under which messages and recipes speak of a module in memory."""
    return f"{PREFIX}{type(module).__name__}"


def is_in_memory(name: str) -> bool:
    """Return whether a network's name stands for a module in the memory of some program."""
    return name.startswith(PREFIX)


def check_has_file(name: str) -> None:
    """Raise `StudioError` if a name stands for a module in memory, which nothing can open again."""
    if is_in_memory(name):
        raise StudioError(
            f"{name.removeprefix(PREFIX)} was a module in the memory of a Python program, which no "
            "file has; make it again there, and give it to ldam_studio.replay as network=."
        )


def source_of(module: nn.Module) -> Source:
    """Return the source whose network is a copy of `module`, on the CPU; the module stays as it is.

    Raises
    ------
    StudioError
        If the module cannot be copied.
    """
    try:
        twin = _copied(module).cpu()
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"The module {type(module).__name__} cannot be copied to the processor "
            f"({in_short(error)}); name a function that makes it instead, as FILE.py:FUNCTION."
        ) from None
    return Source(lambda _classes: twin)


def _copied(module: nn.Module) -> nn.Module:
    # What a forward pass in training has computed from weights, as spectral norms do, refuses to be
    # copied; the next pass computes it again.
    computed = {
        id(value): value.detach().clone()
        for part in module.modules()
        for value in vars(part).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    # Copies of weights of TorchScript would be results of a computation, with a gradient.
    with torch.no_grad():
        return copy.deepcopy(module, computed)
