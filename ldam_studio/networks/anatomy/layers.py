"""Layers of a network, and running a network up to one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ldam_studio.errors import StudioError

OUTPUT = "output"
"""Name of the layer for the network's result, if no module computes it."""


@dataclass(frozen=True)
class Layer:
    """A module whose output has neurons.

    Attributes
    ----------
    name
        The module's name within the network, or `OUTPUT`.
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
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    neurons: int
    axis: int = 0
    batch: int = 0

    @property
    def places(self) -> tuple[int, ...]:
        """The dimensions of places: (height, width), (tokens,), or none."""
        return self.shape[: self.axis] + self.shape[self.axis + 1 :]


class _Reached(Exception):
    # Not an error: it carries the output out of the forward pass.
    def __init__(self, output: Tensor) -> None:
        self.output = output


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


class Stop(PassHook):
    """A hook that ends the forward pass after its module; see `output_at`."""

    def __init__(self, batch: int) -> None:
        super().__init__(self._end)
        self._batch = batch

    def _end(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        """End the forward pass and return the output, with the images in its first dimension."""
        tensor = first_tensor(output)
        if tensor is not None:
            raise _Reached(tensor.movedim(self._batch, 0) if self._batch else tensor)


def output_at(module: nn.Module, layer: str, inputs: Tensor, batch: int = 0) -> Tensor:
    """Run `module` on `inputs` up to the sub-module `layer` and return its output.

    The output's dimension `batch`, which counts the images, becomes the first. If the layer is
    called several times, the output of the first call is returned. The hook that stops the forward
    pass is always removed, and it does not stop other threads that run the same module.

    Raises
    ------
    StudioError
        If the forward pass never reaches the layer.
    """
    if layer == OUTPUT and not hasattr(module, OUTPUT):
        whole = first_tensor(module(inputs))
        if whole is not None:
            return whole

    handle = module.get_submodule(layer).register_forward_hook(Stop(batch))
    try:
        module(inputs)
    except _Reached as reached:
        return reached.output
    finally:
        handle.remove()
    raise StudioError(
        f"The forward pass of this network never reaches its layer {layer!r}; choose another layer."
    )


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

    handles = [module.get_submodule(name).register_forward_hook(hook(name)) for name in layers]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a module returned, or the first in its tuple, list or dictionary."""
    return next(all_tensors(output), None)


def all_tensors(output: Any) -> Iterator[Tensor]:
    """Yield the tensors that a module returned, also those in tuples, lists and dictionaries."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from all_tensors(tuple(output.values()))
    elif isinstance(output, tuple | list):
        for part in output:
            yield from all_tensors(part)
