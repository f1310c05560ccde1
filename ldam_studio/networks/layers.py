"""Layers of a network: which there are, running up to one of them, and what a unit of it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError

OUTPUT = "output"
"""The layer's name for what the network returns, where no module of its own makes it."""

FEATURES_LAST = (nn.Linear, nn.LayerNorm)
FEATURES_FIRST = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)


@dataclass(frozen=True)
class Layer:
    """A module whose output can be looked at.

    `shape` is that of its output for one image, such as (channels, height, width), (features,) or
    (tokens, features); `axis` says which of its dimensions counts the `neurons` (channels or
    features). The other dimensions are places.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    neurons: int
    axis: int = 0

    @property
    def places(self) -> tuple[int, ...]:
        """The dimensions of places: (height, width), (tokens,), or none."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]


class _Reached(Exception):
    # No error: it carries the output out of the forward pass.
    def __init__(self, output: Tensor) -> None:
        self.output = output


def output_at(module: nn.Module, layer: str, inputs: Tensor) -> Tensor:
    """Run `module` on `inputs` up to the sub-module `layer` and return its output.

    The hook that stops the forward pass lives for this call only, whatever happens in it.
    """
    if layer == OUTPUT and not hasattr(module, OUTPUT):
        whole = first_tensor(module(inputs))
        if whole is not None:
            return whole

    def stop(_module: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None:
            raise _Reached(tensor)

    handle = module.get_submodule(layer).register_forward_hook(stop)
    try:
        module(inputs)
    except _Reached as reached:
        return reached.output
    finally:
        handle.remove()
    raise StudioError(f"The forward pass of this network never reaches its layer {layer!r}.")


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a module gave: itself, or the first in its tuple, list or dict."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((t for t in map(first_tensor, output) if t is not None), None)
    return None


def list_layers(name: str, module: nn.Module, inputs: Tensor) -> tuple[Layer, ...]:
    """Return the layers of a network in the order in which its forward pass first ends them.

    Parameters
    ----------
    name
        What the network is called, for sentences about it.
    inputs
        One normalised image, (1, C, H, W).

    Raises
    ------
    StudioError
        If the network cannot take such an image, or gives no tensor to look at.
    """
    listing = _Listing()
    handles = [
        part.register_forward_hook(listing.hook(path))
        for path, part in module.named_modules()
        if path
    ]
    shape = inputs.shape[1:]
    try:
        with torch.no_grad():
            output = module(inputs)
    except Exception as error:
        raise StudioError(
            f"{name} fails on an image of {' x '.join(map(str, shape))} after its layer "
            f"{listing.last or '(none)'} ({type(error).__name__}: {error}); give the input that it "
            "was made for."
        ) from None
    finally:
        for handle in handles:
            handle.remove()
    whole = first_tensor(output)
    if whole is None or whole.ndim < 2:
        raise StudioError(f"{name} gives no units to look at; it must return a tensor.")
    if whole is not listing.output:
        listing.note(OUTPUT, module, whole)
    return tuple(listing.found.values())


class _Listing:
    """What a forward pass met: layers by name, and the axis of features of the last output."""

    def __init__(self) -> None:
        self.found: dict[str, Layer] = {}
        self.last = ""
        self.output: Tensor | None = None
        self._features_last = False

    def hook(self, name: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is not None and tensor.ndim >= 2 and tensor.shape[0] == 1:
                self.note(name, module, tensor)

        return hook

    def note(self, name: str, module: nn.Module, output: Tensor) -> None:
        """Write a layer down. What only passes values on keeps the layout of what came before."""
        self.last, self.output = name, output
        if isinstance(module, FEATURES_LAST):
            self._features_last = True
        elif isinstance(module, FEATURES_FIRST):
            self._features_last = False
        elif type(module).__name__ == "Permute":  # torchvision's, which is slow to import
            self._features_last = list(module.dims)[-1] == 1  # type: ignore[arg-type]
        elif output.ndim == 3:  # (tokens, features), unless a one-dimensional convolution made it
            self._features_last = True
        shape = tuple(output.shape[1:])
        axis = len(shape) - 1 if self._features_last and len(shape) > 1 else 0
        self.found.setdefault(name, Layer(name, type(module).__name__, shape, shape[axis], axis))
