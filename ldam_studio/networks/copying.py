"""Copying a network that another thread is running."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.anatomy.layers import Stop


def copied(module: nn.Module) -> nn.Module:
    """Return a copy of a module without the hooks by which somebody may just be looking at a layer.

    Hooks of its own, which are part of what it computes, are copied.

    Raises
    ------
    StudioError
        If a person's module holds what cannot be copied.
    """
    # They come and go while it runs. Taken in one piece, no dictionary changes under the copying.
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
            "that no other weights can be put into it; open each checkpoint as a network."
        ) from None
    return twin
