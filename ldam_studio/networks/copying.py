"""Copying a network while another thread runs it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.anatomy.layers import PassHook


def copied(module: nn.Module, shared: Mapping[int, Tensor] | None = None) -> nn.Module:
    """Return a copy of a module, without the `PassHook`s of forward passes in progress.

    The module's own hooks, which are part of what it computes, are copied. Tensors that are
    `shared`, by their `id`, are not copied.

    Raises
    ------
    StudioError
        If the user's own module cannot be copied.
    """
    # Other threads add and remove such hooks. Each dictionary of hooks is copied in a single
    # operation, so that it cannot change meanwhile.
    memo: dict[int, Any] = dict(shared or {})
    own = []
    for part in module.modules():
        for table in (part._forward_hooks, part._forward_pre_hooks):
            hooks = table.copy()
            kept: OrderedDict[int, Any] = OrderedDict()
            memo[id(table)] = kept
            own.append((kept, {k: h for k, h in hooks.items() if not isinstance(h, PassHook)}))
    try:
        twin = copy.deepcopy(module, memo)
        for kept, hooks in own:
            kept.update(copy.deepcopy(hooks, memo))
    except Exception as error:
        raise StudioError(
            f"A network of class {type(module).__name__} cannot be copied ({in_short(error)}), so "
            "it cannot get other weights; open each checkpoint as a network."
        ) from None
    return twin


def sharing(module: nn.Module) -> nn.Module:
    """Return a copy of a module that shares all its parameters and buffers; see `copied`."""
    tensors = (*module.parameters(), *module.buffers())
    return copied(module, {id(tensor): tensor for tensor in tensors})
