"""Modules that rename or change weights themselves when these are loaded, as torch lets them."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import redirect_stdout
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _IncompatibleKeys

from ldam_studio.errors import StudioError
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.copying import copied
from ldam_studio.networks.weights.readings import Reading, own_tensors


def adapts(module: nn.Module) -> bool:
    """Return whether a module has a hand in loading: hooks, or methods that are not torch's."""
    if not _is_torchs(type(module).load_state_dict):
        return True
    return any(
        part._load_state_dict_pre_hooks or not _is_torchs(type(part)._load_from_state_dict)
        for part in module.modules()
    )


def _is_torchs(method: object) -> bool:
    return getattr(method, "__module__", "").startswith("torch.")


def load(module: nn.Module, reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Let torch load a set of weights into a module; what does not fit in shape is left out.

    Returns
    -------
    The names that were missing, and those that were unknown; None if the module does not say it.

    Raises
    ------
    RuntimeError
        If torch refuses them.
    """
    state = OrderedDict(reading.given)
    versions = OrderedDict(reading.metadata)
    own = module.state_dict()
    if not versions and all(n in state or n.endswith("num_batches_tracked") for n in own):
        # Safetensors files do not say of which version they are; present names are of the present.
        versions = own._metadata  # type: ignore[attr-defined]
    state._metadata = versions  # type: ignore[attr-defined]
    with redirect_stdout(sys.stderr):  # what the module prints is not the program's output
        result = module.load_state_dict(state, strict=False)
    if not isinstance(result, _IncompatibleKeys):
        return None
    return tuple(result.missing_keys), tuple(result.unexpected_keys)


def as_torch_loads(
    module: nn.Module, reading: Reading
) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
    """Return what a module makes of a set of weights, by its own names, and names unknown to it.

    The module itself stays as it is, and may be run meanwhile. None if it refuses the weights.
    """
    try:
        twin = _hollow(module)
        result = load(twin, reading)
    except StudioError:
        return None  # it cannot be copied
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        return None
    state = own_tensors(twin)
    if result is None:
        return {n: t for n, t in state.items() if not _is_hollow(t)}, ()
    missing, unknown = result
    return {n: t for n, t in state.items() if n not in missing}, unknown


def _hollow(module: nn.Module) -> nn.Module:
    """Return a copy of a module whose weights are NaN, so that those that are loaded show."""
    shared: dict[int, Tensor] = {}
    for own in chain(module.parameters(), module.buffers()):
        empty = torch.full_like(own, torch.nan) if own.is_floating_point() else own.detach().clone()
        if isinstance(own, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=own.requires_grad)
        shared[id(own)] = empty
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, Tensor):  # such as the weight that a weight norm computes
                shared.setdefault(id(value), value.detach().clone())
    return copied(module, shared)


def _is_hollow(value: Tensor) -> bool:
    return value.is_floating_point() and value.numel() > 0 and bool(value.isnan().all())


def put(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights by a module's own names into it, in place, without adapting them again."""
    own = own_tensors(module)
    with torch.no_grad():
        for name, value in weights.items():
            own[name].copy_(value)
    for part in module.modules():
        for hook in part._load_state_dict_post_hooks.values():
            hook(part, _IncompatibleKeys([], []))
