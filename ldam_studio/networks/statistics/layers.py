"""Choosing the layers at which an image is compared with photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.layers import PassHook, after

COUNT = 5
INSIDE = 0.05
"""By how much of the depth another layer may be off, rather than one inside of one more block."""


@dataclass
class _Candidate:
    """A layer whose output is an image.

    `depth` is the number of layers with weights up to its end, `plain` whether it is such a layer.
    """

    name: str
    depth: int
    plain: bool
    output: Tensor | None
    version: int
    calls: int = 1

    @property
    def overwritten(self) -> bool:
        """Whether a later operation has changed its output, if that was kept."""
        return self.output is not None and self.output._version != self.version

    @property
    def level(self) -> int:
        """How many modules it is inside of."""
        return self.name.count(".")


def choose_layers(module: nn.Module, inputs: Tensor) -> tuple[str, ...]:
    """Return up to `COUNT` layers, spread evenly over the depth of a convolutional network.

    They are outputs of rectifiers, pools or, preferably, whole blocks, (channels, H, W) with more
    than one place. Excluded are what the last weights compute, modules that are called several
    times, and outputs that a later operation overwrites. A network that has only convolutions as
    modules is compared at those. The result is empty for other networks.

    Parameters
    ----------
    inputs
        A normalised noise image, (1, C, H, W).
    """
    found = [each for each in _candidates(module, inputs) if not each.overwritten]
    blocks = [each for each in found if not each.plain]
    return _spread(blocks if len({each.depth for each in blocks}) > 1 else found)


def choose_norms(module: nn.Module, inputs: Tensor) -> tuple[str, ...]:
    """Return up to `COUNT` batch norms with statistics, spread evenly over the depth of a network.

    Their outputs may be overwritten by later operations. `inputs` is as for `choose_layers`.
    """
    norms = {
        name
        for name, part in module.named_modules()
        if isinstance(part, nn.BatchNorm2d) and part.track_running_stats
    }
    found = _candidates(module, inputs, keep=False)
    return _spread([each for each in found if each.name in norms])


def _spread(blocks: list[_Candidate]) -> tuple[str, ...]:
    if not blocks:
        return ()
    first, last = blocks[0].depth, max(each.depth for each in blocks)
    allowed = INSIDE * (last - first)
    chosen: dict[int, str] = {}
    for number in range(COUNT):
        wanted = first + (last - first) * number / (COUNT - 1)
        # Of equal ones, the later one is smaller where a pool follows.
        costs = [abs(each.depth - wanted) + allowed * each.level for each in reversed(blocks)]
        best = blocks[len(blocks) - 1 - costs.index(min(costs))]
        chosen.setdefault(best.depth, best.name)
    return tuple(chosen[depth] for depth in sorted(chosen))


def _candidates(module: nn.Module, inputs: Tensor, *, keep: bool = True) -> list[_Candidate]:
    """Return the layers; with `keep`, all their outputs are in memory at the same time."""
    found: dict[str, _Candidate] = {}
    depth = 0

    def hook(name: str, part: nn.Module) -> PassHook:
        weighs = any(parameter.ndim > 1 for parameter in part.parameters(recurse=False))
        plain = weighs or isinstance(part, nn.modules.batchnorm._BatchNorm)

        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            nonlocal depth
            depth += weighs
            if name in found:
                found[name].calls += 1
            elif isinstance(output, Tensor) and _is_image(output):
                found[name] = _Candidate(
                    name, depth, plain, output if keep else None, output._version
                )

        return PassHook(note)

    handles = [after(part, hook(name, part)) for name, part in module.named_modules() if name]
    try:
        with torch.no_grad():
            module(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [each for each in found.values() if each.calls == 1 and each.depth < depth]


def _is_image(output: Tensor) -> bool:
    return output.ndim == 4 and output.shape[0] == 1 and min(output.shape[2:]) > 1
