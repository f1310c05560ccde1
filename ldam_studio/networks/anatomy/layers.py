"""Layers of a network: which there are, what is known of each, and running up to one of them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory, too_little
from ldam_studio.networks.anatomy.footprints import Value
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.walk import Walk

OUTPUT = "output"
"""The layer's name for what the network returns, where no module of its own makes it."""

NO_GRADIENT = "NotImplemented"
"""In the name of what torch's backward pass finds behind an operation that has no gradient."""

FEATURES_LAST = (nn.Linear, nn.LayerNorm)
FEATURES_FIRST = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)


@dataclass(frozen=True)
class Layer:
    """A module whose output can be looked at.

    `shape` is that of its output for one image, such as (channels, height, width), (features,) or
    (tokens, features); `axis` says which of its dimensions counts the `neurons` (channels or
    features). The other dimensions are places. `batch` is the dimension of the module's own output
    that counts the images: 0, or 1 in a transformer that takes (tokens, images, features).
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
    # No error: it carries the output out of the forward pass.
    def __init__(self, output: Tensor) -> None:
        self.output = output


class Stop:
    """A hook that ends a forward pass of this thread at its module; see `output_at`."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._thread = threading.get_ident()

    def __call__(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        """Leave the forward pass with the output, its dimension `batch` the first."""
        if threading.get_ident() != self._thread:
            return
        tensor = first_tensor(output)
        if tensor is not None:
            raise _Reached(tensor.movedim(self._batch, 0) if self._batch else tensor)


def output_at(module: nn.Module, layer: str, inputs: Tensor, batch: int = 0) -> Tensor:
    """Run `module` on `inputs` up to the sub-module `layer` and return its output.

    Dimension `batch` of it counts the images and becomes the first. Of a layer that is run several
    times, the output is that of the first time. The hook that stops the forward pass lives for this
    call only, whatever happens in it, and stops nobody else's: threads may share a module.
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
    raise StudioError(f"The forward pass of this network never reaches its layer {layer!r}.")


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a module gave: itself, or the first in its tuple, list or dict."""
    return next(all_tensors(output), None)


def all_tensors(output: Any) -> Iterator[Tensor]:
    """Go through the tensors that a module gave, those in tuples, lists and dicts in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from all_tensors(tuple(output.values()))
    elif isinstance(output, tuple | list):
        for part in output:
            yield from all_tensors(part)


@dataclass(frozen=True)
class Layers:
    """What one forward pass at batch 1 tells of a network.

    Attributes
    ----------
    all
        In the order in which the forward pass first ends them.
    footprints
        By layer, (4, *places) whole numbers, the (top, left, -bottom, -right) that a layer's units
        at a place see, with 1 for dimensions along which that is the same; None if not known.
    origins
        By layer, what its output was before the layer was noted: moved, dropped out, activated or
        averaged values of an earlier one; None if it was anything else.
    inputs
        The same of the tensor that entered a convolution or fully connected layer.
    """

    all: tuple[Layer, ...]
    footprints: dict[str, Tensor | None]
    origins: dict[str, Origin | None]
    inputs: dict[str, Origin | None]


def list_layers(name: str, module: nn.Module, inputs: Tensor) -> Layers:
    """Return the layers of a network, and what a forward pass tells of them.

    Parameters
    ----------
    name
        What the network is called, for sentences about it.
    inputs
        One normalised image, (1, C, H, W).

    Raises
    ------
    StudioError
        If the network cannot take such an image, gives no tensor to look at, or lets no gradient
        through to the image.
    """
    listing = _Listing(module, inputs)
    try:
        try:
            # Nobody asks for the gradients, so that nothing has to be kept for them ...
            with saved_tensors_hooks(_nothing, _nothing):
                output = listing.run()
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            # ... unless the network itself does.
            listing = _Listing(module, inputs)
            output = listing.run()
    except Exception as error:
        if is_lack_of_memory(error):
            what = f"{name} on an image of {_by(inputs.shape[1:])} {listing.where},"
            raise too_little(what, error, "take a smaller input or close other programs") from None
        raise StudioError(
            f"{name} fails on an image of {_by(inputs.shape[1:])} {listing.where} "
            f"({in_short(error)}); give the input that it was made for."
        ) from None
    _note_whole(name, module, output, listing)
    sequences = [layer for layer in listing.found.values() if layer.batch]
    if sequences:
        listing.drop({la.name for la in sequences} - _images_second(module, inputs, sequences))
    return listing.layers()


def _nothing(_saved: Any) -> Any:
    """Keep nothing of a tensor for a backward pass that never comes."""


def _note_whole(name: str, module: nn.Module, output: Any, listing: _Listing) -> None:
    """Write down what the network returns, where none of its layers did; see that it is of use.

    Beside what can be looked at it may return anything. What no chain can follow back to the image,
    such as a decision, is left out where the last module's output can be followed.
    """
    # One number for the image is what its last layer has as a unit.
    several = [t for t in all_tensors(output) if t.ndim >= 2 or t.shape == (1,)]
    numbers = [t for t in several if t.is_floating_point()]
    cut_off = bool(numbers) and not any(map(listing.follows, numbers))
    if cut_off and (listing.ends_astray or not listing.found):
        raise StudioError(
            f"{name} lets no gradient through to the image, which chains follow: its forward pass "
            "uses torch.no_grad, torch.inference_mode, detach or quantised layers; take those out."
        )
    whole = first_tensor(output)
    if whole is not None and whole.ndim >= 2 and whole is not listing.output:
        if listing.is_usable(whole):
            listing.note(OUTPUT, module, whole)
    if not several or not listing.found:
        raise StudioError(
            f"{name} gives no units to look at; its forward pass must return a tensor (n, units) "
            "of floating-point numbers that depend on the image."
        )


class _Paths:
    """Tells which tensors of a forward pass have a gradient with respect to the image."""

    def __init__(self, image: Tensor) -> None:
        self._leading = {image.grad_fn}
        self._astray: set[Any] = set()

    def lead_from(self, tensor: Tensor) -> bool:
        """Whether a backward pass from a tensor arrives at the image.

        That a tensor requires a gradient does not say so: an operation may have none, as those on
        quantised weights.
        """
        seen: set[Any] = set()
        open_ends = [tensor.grad_fn]
        while open_ends:
            node = open_ends.pop()
            if node in self._leading:
                self._leading.add(tensor.grad_fn)
                return True
            if node is None or node in seen or node in self._astray:
                continue
            if NO_GRADIENT in node.name():
                continue
            seen.add(node)
            open_ends += [further for further, _ in node.next_functions]
        self._astray |= seen
        return False


def _images_second(module: nn.Module, inputs: Tensor, layers: Sequence[Layer]) -> set[str]:
    """Return those layers whose output at two images counts them in its second dimension."""
    shapes: dict[str, tuple[int, ...]] = {}

    def hook(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is not None:
                shapes.setdefault(name, tuple(tensor.shape))

        return hook

    handles = [module.get_submodule(la.name).register_forward_hook(hook(la.name)) for la in layers]
    try:
        with torch.no_grad():
            module(inputs.detach().repeat(2, 1, 1, 1))
    except Exception:
        # It takes one image at a time; then nothing tells.
        return set()
    finally:
        for handle in handles:
            handle.remove()
    return {la.name for la in layers if shapes.get(la.name) == (la.shape[0], 2, *la.shape[1:])}


class _Listing:
    """What a forward pass met: layers by name, and the axis of features of the last output."""

    def __init__(self, module: nn.Module, inputs: Tensor) -> None:
        self._module = module
        self._walk = Walk(itertools.chain(module.parameters(), module.buffers()))
        with torch.enable_grad():
            # A copy, as what is normalised is one: a network may change its input in place.
            self._image = inputs.detach().requires_grad_(True).clone()
        self._walk.begin(self._image)
        self.follows = _Paths(self._image).lead_from
        self.ends_astray = False  # whether the last module's output does not lead to the image
        self.found: dict[str, Layer] = {}
        self.last = ""
        self._inside: list[tuple[str, str, str]] = []  # modules begun: name, type, given
        self.output: Tensor | None = None
        self._features_last = False
        self._seen: dict[str, Value | None] = {}
        self._origins: dict[str, Origin | None] = {}
        self._inputs: dict[str, Origin | None] = {}

    def run(self) -> Any:
        """Run the forward pass, once, and return what it gives."""
        handles = []
        for path, part in self._module.named_modules():
            if path:
                handles.append(part.register_forward_pre_hook(self.pre_hook(path)))
                handles.append(part.register_forward_hook(self.hook(path)))
        try:
            # With gradients, since chains run it so.
            with torch.enable_grad(), self._walk:
                return self._module(self._image)
        finally:
            for handle in handles:
                handle.remove()

    @property
    def where(self) -> str:
        """Where the forward pass is: in the innermost module, or behind the last."""
        if not self._inside:
            return f"after its layer {self.last or '(none)'}"
        name, kind, given = self._inside[-1]
        return f"in its layer {name} ({kind}), which is given {given}"

    def pre_hook(self, name: str) -> Any:
        """Return what notes that a module begins."""

        def pre_hook(module: nn.Module, inputs: Any) -> None:
            tensor = first_tensor(inputs)
            given = "no tensor" if tensor is None else _by(tensor.shape[1:])
            self._inside.append((name, type(module).__name__, given))

        return pre_hook

    def hook(self, name: str) -> Any:
        """Return what notes a module's output."""

        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            while self._inside.pop()[0] != name:
                pass  # one that failed, and whose failure was caught
            tensor = first_tensor(output)
            if tensor is None or tensor.ndim < 2:
                return
            if tensor.is_floating_point():
                self.ends_astray = not self.follows(tensor)
            if not self.is_usable(tensor):
                return
            if self._walk.of(tensor).constant:  # as what makes a transformer's position bias
                return
            if tensor.ndim == 3 and tensor.shape[0] != 1 == tensor.shape[1]:
                self._note_sequence(name, module, tensor)
            if tensor.shape[0] != 1:
                return
            if name not in self.found and isinstance(module, nn.Linear | nn.Conv2d) and inputs:
                self._inputs[name] = self._walk.of(inputs[0]).origin
            self.note(name, module, tensor)

        return hook

    def is_usable(self, output: Tensor) -> bool:
        """Whether units can be read off an output, and chains follow their gradient."""
        return output.is_floating_point() and output.numel() > 0 and self.follows(output)

    def note(self, name: str, module: nn.Module, output: Tensor) -> None:
        """Write a layer down. What only passes values on keeps the layout of what came before."""
        self.last, self.output = name, output
        if isinstance(module, FEATURES_LAST):
            self._features_last = not _first_for_all_that(module, output)
        elif isinstance(module, FEATURES_FIRST):
            self._features_last = False
        elif type(module).__name__ == "Permute":  # torchvision's, which is slow to import
            self._features_last = list(module.dims)[-1] == 1  # type: ignore[arg-type]
        elif output.ndim == 3:  # (tokens, features), unless a one-dimensional convolution made it
            self._features_last = True
        if name in self.found:  # another call of a module, which is looked at in its first
            return
        shape = tuple(output.shape[1:])
        axis = len(shape) - 1 if self._features_last and len(shape) > 1 else 0
        self.found[name] = Layer(name, type(module).__name__, shape, shape[axis], axis)
        known = self._walk.root(name, output)
        self._seen[name], self._origins[name] = known.seen, known.origin

    def _note_sequence(self, name: str, module: nn.Module, output: Tensor) -> None:
        """Write down what looks like (tokens, images, features)."""
        tokens, _, features = output.shape
        if name not in self.found:
            kind = type(module).__name__
            self.found[name] = Layer(name, kind, (tokens, features), features, axis=1, batch=1)
            # Both are worked out for images that come first.
            self._seen[name] = self._origins[name] = None

    def drop(self, names: set[str]) -> None:
        """Forget layers."""
        for name in names:
            del self.found[name], self._seen[name], self._origins[name]

    def layers(self) -> Layers:
        """Return all that was met."""
        united: dict[tuple[int, int], Tensor] = {}  # layers in a row often see the same
        footprints: dict[str, Tensor | None] = {}
        for name, layer in self.found.items():
            value = self._seen[name]
            if value is None:
                footprints[name] = None
                continue
            key = id(value.short), layer.axis
            if key not in united:
                planes = value.planes if layer.axis else value.short
                seen = planes.amin(dim=2 + layer.axis).squeeze(1)
                united[key] = seen.clamp_max(torch.iinfo(torch.int16).max).short()
            footprints[name] = united[key]
        return Layers(tuple(self.found.values()), footprints, self._origins, self._inputs)


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _first_for_all_that(module: nn.Module, output: Tensor) -> bool:
    """Tell whether a layer norm is one over the channels of planes, in a class of its own."""
    over = getattr(module, "normalized_shape", ())
    return type(module) is not nn.LayerNorm and output.ndim == 4 and over == output.shape[1:2]
