"""Layers of a network, and running a network up to one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.results import tensor_at

OUTPUT = "output"
"""Name of the layer for the network's result, if no module computes it or has this name."""


@dataclass(frozen=True)
class Layer:
    """A tensor of a forward pass that has neurons: the output of a module, or a part of it.

    Attributes
    ----------
    name
        Its name in addresses: the module's name within the network, or `OUTPUT`. ``#2`` is added
        for the second call of a module, and so on; ``[logits]`` for a tensor in a container that
        the module returns, unless it is the first in a list.
    kind
        The module's class.
    shape
        Shape of its output for one image, for example (channels, height, width), (features,) or
        (tokens, features).
    neurons
        Its number of channels or features.
    axis
        The dimension of `shape` that counts the neurons; the others are places.
    batch
        The dimension of the module's own output that counts the images: 0, or 1 in a transformer
        that takes (tokens, images, features).
    squeezed
        Whether the module's output for a single image lacks the dimension that counts the images.
    alone
        Whether the output is right only if the network is run on one image at a time.
    path
        The module's name within the network; empty for the network itself.
    call, part
        The number of the module's call in a forward pass, from 1, and the place of the tensor in
        what it returns; see `results.parts_of`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    neurons: int
    axis: int = 0
    batch: int = 0
    squeezed: bool = False
    alone: bool = False
    path: str = ""
    call: int = 1
    part: str = ""

    @property
    def places(self) -> tuple[int, ...]:
        """The dimensions of places: (height, width), (tokens,), or none."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]

    def arranged(self, output: Tensor, images: int) -> Tensor:
        """Return a module's output for a number of images as (images, *shape)."""
        if self.squeezed and images == 1:
            output = output.unsqueeze(self.batch)
        if self.batch:
            output = output.movedim(self.batch, 0)
        return output if output.ndim > 1 else output[:, None]


class _Reached(BaseException):
    # Not an error: it ends the forward pass. Code that catches errors does not catch it.
    pass


class PassHook:
    """A hook for one forward pass of this thread; calls `act` with what it is given.

    Passes of other threads, which may run the same module, do not call it, and `copied` leaves it
    out.
    """

    def __init__(self, act: Callable[..., None]) -> None:
        self._act, self._thread = act, threading.get_ident()

    def __call__(self, *given: Any) -> None:
        """Call `act` if this is the thread."""
        if threading.get_ident() == self._thread:
            self._act(*given)


def before(part: nn.Module, hook: Callable[..., None]) -> RemovableHandle:
    """Register a hook that is called before a module runs, also on a scripted one."""
    # Scripted modules have the method of nn.Module, but refuse it under their own name.
    return nn.Module.register_forward_pre_hook(part, hook)


def after(part: nn.Module, hook: Callable[..., None]) -> RemovableHandle:
    """Register a hook that is called after a module has run, also on a scripted one.

    What is called inside of a scripted module calls no hooks.
    """
    return nn.Module.register_forward_hook(part, hook)


class Stop(PassHook):
    """A hook that ends the forward pass after its module; see `output_at`.

    `output` is the layer's, with the images in its first dimension, once the layer was reached.
    """

    def __init__(self, layer: Layer, images: int) -> None:
        super().__init__(self._end)
        self._layer, self._images = layer, images
        self._calls = 0
        self.output: Tensor | None = None

    def _end(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        self._calls += 1
        if self._calls == self._layer.call:
            tensor = tensor_at(output, self._layer.part)
            if tensor is not None:
                self.output = self._layer.arranged(tensor, self._images)
                raise _Reached


def output_at(module: nn.Module, layer: Layer, inputs: Tensor) -> Tensor:
    """Run `module` on `inputs` up to a layer, and return its output, (n, *layer.shape).

    The hook that stops the forward pass is always removed, and it does not stop other threads that
    run the same module.

    Raises
    ------
    StudioError
        If the forward pass never reaches the layer.
    """
    if layer.alone and len(inputs) > 1:
        one = replace(layer, alone=False)
        # Of each image there are several outputs if those after the first are also computed without
        # the last rectifier.
        found = [output_at(module, one, image) for image in inputs.split(1)]
        return torch.stack(found, dim=1).flatten(0, 1)
    stop = Stop(layer, len(inputs))
    if not layer.path:
        whole = tensor_at(module(inputs), layer.part)
        if whole is not None:
            return layer.arranged(whole, len(inputs))
    else:
        handle = after(module.get_submodule(layer.path), stop)
        try:
            module(inputs)
        except _Reached:
            pass
        finally:
            handle.remove()
        if stop.output is not None:
            return stop.output
    raise _never_reached(layer)


def _never_reached(layer: Layer) -> StudioError:
    return StudioError(
        f"The forward pass of this network never reaches its layer {layer.name!r}; choose another "
        "layer."
    )


def outputs_at(
    module: nn.Module,
    layers: Sequence[Layer],
    inputs: Tensor,
    take: Callable[[Layer, Tensor], Sequence[Tensor]],
) -> list[Tensor]:
    """Run `module` once, up to the last of several layers, and return what `take` makes of each.

    `take` is called with a layer and its output, (n, *layer.shape), as soon as it is there, before
    anything can overwrite it. What it returns is joined in the order of `layers`.

    Raises
    ------
    StudioError
        If the forward pass does not reach one of the layers.
    """
    found: dict[Layer, Sequence[Tensor]] = {}

    def note(at: Sequence[Layer], call: int, output: Any) -> None:
        for layer in at:
            tensor = tensor_at(output, layer.part) if layer.call == call else None
            if tensor is not None and layer not in found:
                found[layer] = take(layer, layer.arranged(tensor, len(inputs)))
        if len(found) == len(layers):
            raise _Reached

    def counted(at: Sequence[Layer]) -> PassHook:
        calls = iter(range(1, 1 + max(layer.call for layer in at)))
        return PassHook(lambda _module, _inputs, output: note(at, next(calls, 0), output))

    paths = {layer.path: [each for each in layers if each.path == layer.path] for layer in layers}
    whole = paths.pop("", [])
    handles = [after(module.get_submodule(path), counted(at)) for path, at in paths.items()]
    try:
        note(whole, 1, module(inputs))
    except _Reached:
        pass
    finally:
        for handle in handles:
            handle.remove()
    for layer in layers:
        if layer not in found:
            raise _never_reached(layer)
    return [tensor for layer in layers for tensor in found[layer]]


@contextmanager
def noting(
    module: nn.Module, layers: Sequence[str], note: Callable[[Tensor], Tensor]
) -> Iterator[dict[str, Tensor]]:
    """Collect what `note` makes of the outputs of some sub-modules, in this thread's passes.

    Yields a dictionary that has an entry for each layer that was reached. The hooks are removed at
    the end.
    """
    noted: dict[str, Tensor] = {}

    def hook(name: str) -> PassHook:
        def take(_module: nn.Module, _inputs: Any, output: Any) -> None:
            noted[name] = note(output)

        return PassHook(take)

    handles = [after(module.get_submodule(name), hook(name)) for name in layers]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()
