"""Copying a network while another thread runs it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.anatomy.layers import Stop


def copied(module: nn.Module) -> nn.Module:
    """Return a copy of a module, without the `Stop` hooks of forward passes that are running.

    The module's own hooks, which are part of what it computes, are copied.

    Raises
    ------
    StudioError
        If a person's module cannot be copied.
    """
    # Stop hooks come and go while it runs. The dictionaries of hooks are copied here in one
    # operation each, so that none changes while it is copied.
    memo: dict[int, Any] = {}
    own = []
    for part in module.modules():
        hooks = part._forward_hooks.copy()
        kept: OrderedDict[int, Any] = OrderedDict()
        memo[id(part._forward_hooks)] = kept
        own.append((kept, {k: h for k, h in hooks.items() if not isinstance(h, Stop)}))
    try:
        twin = copy.deepcopy(module, memo)
        for kept, hooks in own:
            kept.update(copy.deepcopy(hooks, memo))
    except Exception as error:
        raise StudioError(
            f"A network of class {type(module).__name__} cannot be copied ({in_short(error)}), so "
            "other weights cannot be put into it; open each checkpoint as a network."
        ) from None
    return twin
