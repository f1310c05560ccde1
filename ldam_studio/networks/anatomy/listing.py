"""Listing a network's layers, and what one forward pass shows about each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory, too_little
from ldam_studio.networks.anatomy.failing import FailsOnImage, place_in_code
from ldam_studio.networks.anatomy.footprints import Value
from ldam_studio.networks.anatomy.gradient_paths import GradientPaths
from ldam_studio.networks.anatomy.layers import OUTPUT, Layer, PassHook, all_tensors, first_tensor
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.walk import Walk
from ldam_studio.progress import tell

FEATURES_LAST = (nn.Linear, nn.LayerNorm)
FEATURES_FIRST = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)


@dataclass(frozen=True)
class Layers:
    """What one forward pass of one image shows about a network.

    Attributes
    ----------
    all
        The layers, in the order in which the forward pass first leaves them.
    footprints
        For each layer, the rectangle of pixels that its units at each place see: whole numbers
        (top, left, -bottom, -right), shape (4, *places), with size 1 in dimensions along which they
        are equal. None if unknown.
    origins
        For each layer, the units of an earlier layer from which its output is computed by moving,
        dropout, activation functions or averaging only; None if it is computed in another way.
    inputs
        The same for the input of each convolution or fully connected layer.
    """

    all: tuple[Layer, ...]
    footprints: dict[str, Tensor | None]
    origins: dict[str, Origin | None]
    inputs: dict[str, Origin | None]


def list_layers(name: str, module: nn.Module, inputs: Tensor) -> Layers:
    """Return the layers of a network, and what a forward pass shows about them.

    Parameters
    ----------
    name
        Name of the network in error messages.
    inputs
        One normalised image, (1, C, H, W).

    Raises
    ------
    StudioError
        If the network cannot take such an image, returns no usable tensor, or lets no gradient
        through to the image.
    """
    listing = _Listing(module, inputs)
    try:
        try:
            # Nothing is saved for a backward pass, because no gradients are computed ...
            with saved_tensors_hooks(_nothing, _nothing):
                output = listing.run()
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            # ... unless the network computes some itself.
            listing = _Listing(module, inputs)
            output = listing.run()
    except Exception as error:
        if is_lack_of_memory(error):
            what = f"{name} on an image of {_by(inputs.shape[1:])} {listing.where},"
            raise too_little(what, error, "take a smaller input or close other programs") from None
        what = f"{name} fails on an image of {_by(inputs.shape[1:])} {listing.where}"
        raise FailsOnImage(f"{what} ({in_short(error)})", place_in_code(error)) from None
    _note_whole(name, module, output, listing)
    sequences = [layer for layer in listing.found.values() if layer.batch]
    if sequences:
        listing.drop({la.name for la in sequences} - _images_second(module, inputs, sequences))
    return listing.layers()


def _nothing(_saved: Any) -> Any:
    """Save nothing of a tensor, since no backward pass follows."""


def _note_whole(name: str, module: nn.Module, output: Any, listing: _Listing) -> None:
    """Add the network's own output as a layer if no module computes it; check that it is usable.

    The network may return other things as well. An output without a gradient with respect to the
    image, for example a decision, is left out if the last module's output has one.

    Raises
    ------
    StudioError
        If the network has no units, or none with a gradient with respect to the image.
    """
    # A single number for the image counts as a unit of the last layer.
    several = [t for t in all_tensors(output) if t.ndim >= 2 or t.shape == (1,)]
    numbers = [t for t in several if t.is_floating_point()]
    cut_off = bool(numbers) and not any(map(listing.follows, numbers))
    if cut_off and (listing.ends_astray or not listing.found):
        raise StudioError(
            f"{name} lets no gradient through to the image, but chains need it: its forward pass "
            "uses torch.no_grad, torch.inference_mode, detach or quantised layers; remove these."
        )
    whole = first_tensor(output)
    if whole is not None and whole.ndim >= 2 and whole is not listing.output:
        if listing.is_usable(whole):
            listing.note(OUTPUT, module, whole)
    if not several or not listing.found:
        raise StudioError(
            f"{name} has no units to look at; its forward pass must return a tensor (n, units) "
            "of floating-point numbers that depend on the image."
        )


def _images_second(module: nn.Module, inputs: Tensor, layers: Sequence[Layer]) -> set[str]:
    """Return the layers whose output for two images counts them in its second dimension."""
    shapes: dict[str, tuple[int, ...]] = {}

    def hook(name: str) -> PassHook:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is not None:
                shapes.setdefault(name, tuple(tensor.shape))

        return PassHook(note)

    handles = [module.get_submodule(la.name).register_forward_hook(hook(la.name)) for la in layers]
    try:
        with torch.no_grad():
            module(inputs.detach().repeat(2, 1, 1, 1))
    except Exception:
        # The network takes only one image at a time, so this cannot be found out.
        return set()
    finally:
        for handle in handles:
            handle.remove()
    return {la.name for la in layers if shapes.get(la.name) == (la.shape[0], 2, *la.shape[1:])}


class _Listing:
    """A forward pass that records its layers, and which axis of each counts the features."""

    def __init__(self, module: nn.Module, inputs: Tensor) -> None:
        self._module = module
        self._walk = Walk(itertools.chain(module.parameters(), module.buffers()))
        with torch.enable_grad():
            # A copy, because a network may change its input in place.
            self._image = inputs.detach().requires_grad_(True).clone()
        self._walk.begin(self._image)
        self.follows = GradientPaths(self._image).lead_from
        self.ends_astray = False  # whether the last module's output does not lead to the image
        self.found: dict[str, Layer] = {}
        self.last = ""
        self._inside: list[tuple[str, str, str]] = []  # modules in progress: name, class, input
        self.output: Tensor | None = None
        self._features_last = False
        self._parts = 0
        self._seen: dict[str, Value | None] = {}
        self._origins: dict[str, Origin | None] = {}
        self._inputs: dict[str, Origin | None] = {}

    def run(self) -> Any:
        """Run the forward pass, once, and return its result."""
        handles = []
        parts = list(self._module.named_modules())
        self._parts = len(parts) - 1
        for path, part in parts:
            if path:
                handles.append(part.register_forward_pre_hook(self.pre_hook(path)))
                handles.append(part.register_forward_hook(self.hook(path)))
        try:
            # With gradients, as when chains run it.
            with torch.enable_grad(), self._walk:
                return self._module(self._image)
        finally:
            for handle in handles:
                handle.remove()

    @property
    def where(self) -> str:
        """Where the forward pass is, in words: in the innermost module, or after the last one."""
        if not self._inside:
            return f"after its layer {self.last or '(none)'}"
        name, kind, given = self._inside[-1]
        return f"in its layer {name} ({kind}), which is given {given}"

    def pre_hook(self, name: str) -> PassHook:
        """Return a hook that records that a module begins."""

        def pre_hook(module: nn.Module, inputs: Any) -> None:
            tell("looking for layers", len(self.found), self._parts)
            tensor = first_tensor(inputs)
            given = "no tensor" if tensor is None else _by(tensor.shape[1:])
            self._inside.append((name, type(module).__name__, given))

        return PassHook(pre_hook)

    def hook(self, name: str) -> PassHook:
        """Return a hook that records a module's output."""

        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            while self._inside.pop()[0] != name:
                pass  # an inner module that raised an error, which the network caught
            tensor = first_tensor(output)
            if tensor is None or tensor.ndim < 2:
                return
            if tensor.is_floating_point():
                self.ends_astray = not self.follows(tensor)
            if not self.is_usable(tensor):
                return
            if self._walk.of(tensor).constant:  # for example a transformer's position bias
                return
            if tensor.ndim == 3 and tensor.shape[0] != 1 == tensor.shape[1]:
                self._note_sequence(name, module, tensor)
            if tensor.shape[0] != 1:
                return
            if name not in self.found and isinstance(module, nn.Linear | nn.Conv2d) and inputs:
                self._inputs[name] = self._walk.of(inputs[0]).origin
            self.note(name, module, tensor)

        return PassHook(hook)

    def is_usable(self, output: Tensor) -> bool:
        """Return whether an output has numbers with a gradient with respect to the image."""
        return output.is_floating_point() and output.numel() > 0 and self.follows(output)

    def note(self, name: str, module: nn.Module, output: Tensor) -> None:
        """Record a layer. A module that does not change the layout has that of the layer before."""
        self.last, self.output = name, output
        if isinstance(module, FEATURES_LAST):
            self._features_last = not _is_over_channels(module, output)
        elif isinstance(module, FEATURES_FIRST):
            self._features_last = False
        elif type(module).__name__ == "Permute":  # torchvision's, which is slow to import
            self._features_last = list(module.dims)[-1] == 1  # type: ignore[arg-type]
        elif output.ndim == 3:  # (tokens, features), unless a one-dimensional convolution made it
            self._features_last = True
        if name in self.found:  # a later call of the module; only the first one counts
            return
        shape = tuple(output.shape[1:])
        axis = len(shape) - 1 if self._features_last and len(shape) > 1 else 0
        self.found[name] = Layer(name, type(module).__name__, shape, shape[axis], axis)
        known = self._walk.root(name, output)
        self._seen[name], self._origins[name] = known.seen, known.origin

    def _note_sequence(self, name: str, module: nn.Module, output: Tensor) -> None:
        """Record an output that looks like (tokens, images, features)."""
        tokens, _, features = output.shape
        if name not in self.found:
            kind = type(module).__name__
            self.found[name] = Layer(name, kind, (tokens, features), features, axis=1, batch=1)
            # Footprints and origins need the images in the first dimension.
            self._seen[name] = self._origins[name] = None

    def drop(self, names: set[str]) -> None:
        """Remove layers."""
        for name in names:
            del self.found[name], self._seen[name], self._origins[name]

    def layers(self) -> Layers:
        """Return what was recorded."""
        united: dict[tuple[int, int], Tensor] = {}  # successive layers often share footprints
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


def _is_over_channels(module: nn.Module, output: Tensor) -> bool:
    """Return whether a custom layer norm normalises the channels of an image-like tensor."""
    over = getattr(module, "normalized_shape", ())
    return type(module) is not nn.LayerNorm and output.ndim == 4 and over == output.shape[1:2]
