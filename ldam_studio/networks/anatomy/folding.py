"""Batch norms folded into the convolutions before them, where that changes no layer's output.

In evaluation mode a batch norm is an affine map of each channel, which the convolution before it
can include. The folded copy shares all other weights with the network.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ldam_studio.networks.anatomy.layers import after
from ldam_studio.networks.anatomy.sums import row_sums
from ldam_studio.networks.prepare import Conv2d

TOLERANCE = 1e-4
"""How far a layer's sums may differ in the folded copy, relative to its sum of absolute values."""


@dataclass(frozen=True)
class Folded:
    """A `module` whose output equals the network's at these `layers`, and only there.

    `convolutions` are those that include the batch norms.
    """

    module: nn.Module
    layers: frozenset[str]
    convolutions: frozenset[str]


@dataclass
class Norms:
    """What a forward pass shows of the batch norms after convolutions.

    Attributes
    ----------
    sums
        For each layer, sums by which its outputs are compared.
    pairs
        (convolution, batch norm) for each norm right after a convolution.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)


def fold(module: nn.Module, inputs: Tensor, plain: Norms | None = None) -> Folded | None:
    """Fold the batch norms of a frozen module in evaluation mode; None if there is none to fold.

    Parameters
    ----------
    inputs
        A normalised noise image, (1, C, H, W). A forward pass on it shows which norm follows which
        convolution. Every layer is compared on it, which excludes convolutions whose output is
        also used elsewhere.
    plain
        What that pass has shown, if there was one.
    """
    if not _has_norms(module):
        return None
    if plain is None:
        plain = _pass(module, inputs)
    if not plain.pairs:
        return None
    try:
        folded = _folded(module, plain.pairs)
        found = _pass(folded, inputs).sums
    except Exception:
        # The user's own module may not be copyable, or may compute its weights in each pass, so
        # that they cannot be set (torch's older weight_norm). Then it runs without folding.
        return None
    same = {name for name, sums in plain.sums.items() if _equal(sums, found.get(name))}
    last = list(plain.sums)[-1]
    convolutions = frozenset(convolution for convolution, _ in plain.pairs)
    return Folded(folded, frozenset(same), convolutions) if last in same else None


def _has_norms(module: nn.Module) -> bool:
    return any(type(part) is nn.BatchNorm2d for part in module.modules())


def _folded(module: nn.Module, pairs: list[tuple[str, str]]) -> nn.Module:
    shared = {id(t): t for t in (*module.parameters(), *module.buffers())}
    folded = copy.deepcopy(module, shared)
    for convolution, norm in pairs:
        _fold_pair(folded, convolution, norm)
    return folded


def noting_norms(module: nn.Module) -> AbstractContextManager[Norms]:
    """Collect what a forward pass of an image shows of a module's batch norms, if it has some."""
    return _noting(module) if _has_norms(module) else nullcontext(Norms())


@contextmanager
def _noting(module: nn.Module) -> Iterator[Norms]:
    noted = Norms()
    last: list[Any] = ["", None]
    called: set[str] = set()

    def hook(name: str) -> Any:
        def note(part: nn.Module, given: Any, output: Any) -> None:
            if not isinstance(output, Tensor) or not output.is_floating_point():
                return
            if given and isinstance(given[0], Tensor):
                follow(name, part, given[0], output)
            noted.sums.setdefault(name, row_sums(output[None])[0])

        return note

    def follow(name: str, part: nn.Module, given: Tensor, output: Tensor) -> None:
        if name in called:  # a second call has other inputs, for which folding may be wrong
            noted.pairs[:] = [pair for pair in noted.pairs if name not in pair]
        elif type(part) is nn.BatchNorm2d and part.track_running_stats and given is last[1]:
            noted.pairs.append((last[0], name))
        called.add(name)
        last[:] = [name, output] if type(part) in (nn.Conv2d, Conv2d) else ["", None]

    handles = [after(part, hook(name)) for name, part in module.named_modules()]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()


def _pass(module: nn.Module, inputs: Tensor) -> Norms:
    with _noting(module) as noted, torch.no_grad():
        module(inputs)
    return noted


def _fold_pair(module: nn.Module, convolution: str, norm: str) -> None:
    conv, batch_norm = module.get_submodule(convolution), module.get_submodule(norm)
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(batch_norm, nn.BatchNorm2d)
    assert batch_norm.running_mean is not None
    assert batch_norm.running_var is not None
    conv.weight, conv.bias = (
        nn.Parameter(parameter.contiguous(memory_format=_layout(conv.weight)), requires_grad=False)
        if parameter.ndim == 4
        else nn.Parameter(parameter, requires_grad=False)
        for parameter in fuse_conv_bn_weights(
            conv.weight,
            conv.bias,
            batch_norm.running_mean,
            batch_norm.running_var,
            batch_norm.eps,
            batch_norm.weight,
            batch_norm.bias,
        )
    )
    parent, _, name = norm.rpartition(".")
    setattr(module.get_submodule(parent), name, nn.Identity())


def _layout(weight: Tensor) -> torch.memory_format:
    kept = weight.is_contiguous()
    return torch.contiguous_format if kept else torch.channels_last


def _equal(sums: Tensor, others: Tensor | None) -> bool:
    if others is None:
        return False
    return bool(((sums - others).abs() <= TOLERANCE * sums[0].clamp_min(1e-12)).all())
