"""One forward pass of a module on noise, and what is compared of two such passes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.anatomy.layers import PassHook, after
from ldam_studio.networks.anatomy.results import all_tensors, first_tensor
from ldam_studio.networks.anatomy.sums import row_sums
from ldam_studio.networks.quiet import quiet

LEAST_COSINE = 0.99
"""Cosine between two gradients of one image that are the same but for rounding. A unit at a kink
of a rectifier may change it."""

ROUNDING = 1e-4
"""Difference, relative to the largest value, that rounding makes in deep networks at most."""


@dataclass
class Seen:
    """What a pass of n images gave.

    Attributes
    ----------
    outputs
        The floating-point tensors that the network returned.
    sums
        For each call of a module, sums over the values of each image, (n, k).
    gradient
        The gradient of the first image's outputs with respect to all images, (n, C, H, W); None if
        there is none.
    """

    count: int
    outputs: list[Tensor] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    gradient: Tensor | None = None

    def of_image(self, number: int) -> dict[str, Tensor]:
        """Return the values that belong to one of the images."""
        found = {name: sums[number] for name, sums in self.sums.items()}
        for place, output in enumerate(self.outputs):
            row = _row(output, self.count, number)
            if row is not None:
                # A detector returns a list with tensors for each image.
                found[f"{place} of {len(self.outputs)}"] = row
        return found

    @property
    def counts_images(self) -> bool:
        """Whether each output has a first dimension for one image."""
        return all(output.ndim and len(output) == self.count for output in self.outputs)


@quiet()
def see(module: nn.Module, images: Tensor, *, gradient: bool = False) -> Seen:
    """Run a module on images (n, C, H, W)."""
    seen = Seen(len(images))
    last: list[Tensor] = []
    with torch.enable_grad() if gradient else torch.no_grad():
        leaf = images.detach().requires_grad_(gradient)
        with _summing(module, seen, last):
            # A copy, because a network may change its input in place.
            returned = module(leaf.clone())
        outputs = [t for t in all_tensors(returned) if t.is_floating_point()]
        if gradient:
            followed = [t for t in outputs if t.requires_grad] or last
            seen.gradient = _gradient(followed, leaf)
    # Copies, because the network may return a tensor that it changes in its next pass.
    seen.outputs = [output.detach().clone() for output in outputs]
    return seen


def _gradient(outputs: list[Tensor], leaf: Tensor) -> Tensor | None:
    total = leaf.new_zeros(())
    for output in outputs:
        row = _row(output, len(leaf), 0)
        if row is not None:
            weights = torch.randn(row.shape, generator=torch.Generator().manual_seed(0))
            total = total + (row.to(leaf) * weights.to(leaf)).sum()
    if not total.requires_grad:
        return None
    try:
        (found,) = torch.autograd.grad(total, leaf, allow_unused=True)
    except RuntimeError as error:
        if is_lack_of_memory(error):
            raise
        return None  # what has no backward pass is reported where chains need one
    return None if found is None else found.detach()


@contextmanager
def _summing(module: nn.Module, seen: Seen, last: list[Tensor]) -> Iterator[None]:
    calls: Counter[str] = Counter()

    def hook(name: str) -> PassHook:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = first_tensor(output)
            if tensor is None or not tensor.is_floating_point() or not tensor.numel():
                return
            if tensor.requires_grad:
                last[:] = [tensor]
            if tensor.ndim and len(tensor) == seen.count:
                seen.sums[f"{name}#{calls[name]}"] = row_sums(tensor.detach())
                calls[name] += 1

        return PassHook(note)

    handles = [after(part, hook(name)) for name, part in module.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _row(output: Tensor, count: int, number: int) -> Tensor | None:
    """Return one image's part of an output, flat."""
    if output.ndim and len(output) == count:
        return output[number].reshape(-1)
    if output.ndim > 1 and output.shape[1] == count:  # (tokens, images, features)
        return output[:, number].reshape(-1)
    return output.reshape(-1) if count == 1 else None


def departure(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """Return the largest difference of what both have, relative to the largest value."""
    most = 0.0
    for name in one.keys() & other.keys():
        mine, theirs = one[name].double(), other[name].double()
        if mine.shape != theirs.shape:
            return math.inf
        finite = mine.isfinite()
        if not torch.equal(finite, theirs.isfinite()):
            return math.inf
        if finite.any():
            away = (mine - theirs)[finite].abs().max()
            most = max(most, float(away / mine[finite].abs().max().clamp_min(1e-12)))
    return most


def same_gradient(one: Tensor | None, other: Tensor | None, least: float = LEAST_COSINE) -> bool:
    """Return whether two gradients of the same image (C, H, W) are the same, but for rounding."""
    if one is None or other is None:
        return one is other
    mine, theirs = (g.double().flatten().nan_to_num(0, 0, 0) for g in (one, other))
    if not mine.any() or not theirs.any():
        return bool(mine.any()) == bool(theirs.any())
    return cosine(one, other) >= least and 0.9 < float(theirs.norm() / mine.norm()) < 1.1


def cosine(one: Tensor, other: Tensor) -> float:
    """Return the cosine of two gradients."""
    mine, theirs = (g.double().flatten().nan_to_num(0, 0, 0) for g in (one, other))
    # Each is scaled first, so that small ones count, too.
    mine, theirs = (g / g.abs().max().clamp_min(torch.finfo(g.dtype).tiny) for g in (mine, theirs))
    return float(torch.cosine_similarity(mine, theirs, dim=0))
