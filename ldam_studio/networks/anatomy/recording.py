"""Recording the outputs of a forward pass, and which axis of each counts the features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from ldam_studio.networks.anatomy.batches import MOST_CALLS, Spot, parts_by_layer
from ldam_studio.networks.anatomy.calls import weights_of
from ldam_studio.networks.anatomy.footprints import Value
from ldam_studio.networks.anatomy.gradient_paths import GradientPaths
from ldam_studio.networks.anatomy.layers import OUTPUT, PassHook, after, before
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.results import first_tensor
from ldam_studio.networks.anatomy.walk import Walk
from ldam_studio.progress import tell

FEATURES_LAST = (nn.Linear, nn.LayerNorm)
FEATURES_FIRST = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)


@dataclass(frozen=True)
class Recorded:
    """A usable tensor of a forward pass of one image.

    Attributes
    ----------
    name, kind
        As of a `Layer`.
    spot
        Where it was found.
    shape
        Its whole shape.
    features_last
        Whether its last dimension counts the features.
    version
        How often it had been changed in place.
    former
        Whether 0.1.0 listed it.
    seen, origin
        Its footprint, and the units of an earlier layer that it consists of; None if unknown.
    """

    name: str
    kind: str
    spot: Spot
    shape: tuple[int, ...]
    features_last: bool
    version: int
    former: bool
    seen: Value | None = None
    origin: Origin | None = None


class Recording:
    """A forward pass of normalised images (n, C, H, W), of one if the network takes one."""

    def __init__(self, module: nn.Module, inputs: Tensor) -> None:
        self.module, self._images = module, len(inputs)
        self._walk = Walk(weights_of(module))
        with torch.enable_grad():
            # A copy, because a network may change its input in place.
            self._image = inputs.detach().requires_grad_(True).clone()
        self._walk.begin(self._image)
        self.follows = GradientPaths(self._image).lead_from
        self.ends_astray = False  # whether the last module's output does not lead to the image
        self.found: list[Recorded] = []
        self.inputs: dict[str, Origin | None] = {}
        self.aliases: dict[str, str] = {}  # other names of what is recorded
        self._inside: list[tuple[str, str, str]] = []  # modules in progress: name, class, input
        self._calls: dict[str, int] = {}
        self._tensors: WeakIdKeyDictionary = WeakIdKeyDictionary()  # what is recorded of each
        self._last: Recorded | None = None  # of those that 0.1.0 listed
        self._features_last = False
        self._modules = {path for path, _ in module.named_modules()}
        self._names: set[str] = set()

    def run(self) -> Any:
        """Run the forward pass, once, and return its result."""
        handles = []
        for path, part in self.module.named_modules():
            if path:
                handles.append(before(part, self._pre_hook(path)))
                handles.append(after(part, self._hook(path)))
        try:
            # With gradients, as when chains run it.
            with torch.enable_grad(), self._walk:
                return self.module(self._image)
        finally:
            for handle in handles:
                handle.remove()

    @property
    def where(self) -> str:
        """Where the forward pass is, in words: in the innermost module, or after the last one."""
        if not self._inside:
            return f"after its layer {self._last.name if self._last else '(none)'}"
        name, kind, given = self._inside[-1]
        return f"in its layer {name} ({kind}), which is given {given}"

    def _pre_hook(self, path: str) -> PassHook:
        def pre_hook(module: nn.Module, inputs: Any) -> None:
            tell("looking for layers", len(self._calls), len(self._modules) - 1)
            tensor = first_tensor(inputs)
            given = "no tensor" if tensor is None else " x ".join(map(str, tensor.shape[1:]))
            self._inside.append((path, type(module).__name__, given))

        return PassHook(pre_hook)

    def _hook(self, path: str) -> PassHook:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            while self._inside.pop()[0] != path:
                pass  # an inner module that raised an error, which the network caught
            call = self._calls[path] = self._calls.get(path, 0) + 1
            if call > MOST_CALLS:
                return
            for number, (part, tensor) in enumerate(parts_by_layer(output)):
                first = not number
                if first and tensor.is_floating_point() and tensor.ndim:
                    self.ends_astray = not self.follows(tensor)
                if not self.is_usable(tensor):
                    continue
                known = None if first else self.known(tensor)
                if known is not None:
                    self.aliases.setdefault(f"{path}{_counted(call)}{part}", known.name)
                    continue
                name = self.add((path, call, part), module, tensor, first=first).name
                if isinstance(module, nn.Linear | nn.Conv2d) and inputs and first:
                    self.inputs[name] = self._walk.of(inputs[0]).origin

        return PassHook(hook)

    def is_usable(self, output: Tensor) -> bool:
        """Return whether an output has numbers with a gradient with respect to the image."""
        if not output.is_floating_point() or not output.numel() or not self.follows(output):
            return False
        return not self._walk.of(output).constant  # for example a transformer's position bias

    def known(self, output: Tensor) -> Recorded | None:
        """Return what was recorded of a tensor; None if nothing, or if it was changed since."""
        found: Recorded | None = self._tensors.get(output)
        if found is None and output.ndim < 2:
            found = self._viewed(output)
        return found if found is not None and found.version == output._version else None

    def _viewed(self, output: Tensor) -> Recorded | None:
        """Return what was recorded of a tensor of which this is a view, element by element."""
        found: Recorded | None = None
        for other, recorded in self._tensors.items():
            if other.data_ptr() == output.data_ptr() and other.numel() == output.numel():
                found = recorded
        return found

    @property
    def whole(self) -> str:
        """The name of the network's result."""
        return whole_name(self._modules)

    @property
    def last(self) -> Recorded | None:
        """What was recorded last of what 0.1.0 listed."""
        return self._last

    def add(self, spot: Spot, module: nn.Module, output: Tensor, *, first: bool) -> Recorded:
        """Record a tensor. A module that keeps the layout has that of the layer before.

        `first` says whether it is the first in what the module returned. 0.1.0, which had no names
        for parts, called that one by the module's name alone.
        """
        path, call, part = spot
        images_first = output.ndim > 1 and output.shape[0] == self._images
        sequence = output.ndim == 3 and not images_first and output.shape[1] == self._images
        if images_first and first:
            self._note_layout(module, output)
        name = self._name(path, call, part)
        alone = name.removesuffix(part)
        if first and part:
            self.aliases.setdefault(alone, name)
        former = first and call == 1 and (images_first or sequence) and alone == (path or OUTPUT)
        if not path and self._tensors.get(output) is self._last:
            former = False  # the last module's output, which was changed in place
        # Footprints are those of one image.
        followed = images_first and self._images == 1
        known = self._walk.root(name, output) if followed else None
        recorded = Recorded(
            name,
            getattr(module, "original_name", type(module).__name__),  # scripted modules have it
            spot,
            tuple(output.shape),
            self._features_last,
            output._version,
            former,
            None if known is None else known.seen,
            None if known is None else known.origin,
        )
        self.found.append(recorded)
        self._tensors[output] = recorded
        if images_first and first:
            self._last = recorded
        return recorded

    def _note_layout(self, module: nn.Module, output: Tensor) -> None:
        convolved = self._walk.has_convolved()
        if output.ndim == 2:  # features without places, which say nothing about those with places
            return
        if isinstance(module, FEATURES_LAST):
            self._features_last = not _is_over_channels(module, output)
        elif isinstance(module, FEATURES_FIRST):
            self._features_last = False
        elif type(module).__name__ == "Permute":  # torchvision's, which is slow to import
            self._features_last = list(module.dims)[-1] == 1  # type: ignore[arg-type]
        elif output.ndim > 3 and (convolved or output.shape == self._image.shape):
            self._features_last = False
        elif output.ndim == 3:  # (tokens, features), unless a one-dimensional convolution made it
            self._features_last = True

    def _name(self, path: str, call: int, part: str) -> str:
        """Return a layer's name, which no other layer and no other module has."""
        base = path or self.whole
        number = _counted(call)
        name = f"{base}{number}{part}"
        while name in self._names or (name in self._modules and name != path):
            number = f"#{number or 1}"
            name = f"{base}{number}{part}"
        self._names.add(name)
        return name


def _counted(call: int) -> str:
    return f"#{call}" if call > 1 else ""


def whole_name(modules: Collection[str]) -> str:
    """Return the name of a network's result, which none of its `modules` has."""
    name = OUTPUT
    while name in modules:
        name = "result" if name == OUTPUT else f"{name}_"
    return name


def _is_over_channels(module: nn.Module, output: Tensor) -> bool:
    """Return whether a custom layer norm normalises the channels of an image-like tensor."""
    over = getattr(module, "normalized_shape", ())
    return type(module) is not nn.LayerNorm and output.ndim == 4 and over == output.shape[1:2]
