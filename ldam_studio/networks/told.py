"""Saying what forward passes are for while they run, so that they can be stopped between layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.nn.modules.module import register_module_forward_pre_hook

from ldam_studio.progress import is_heard, tell


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Tell what this thread's forward passes in the context are for, before each of their parts.

    Nothing is done where nobody listens.
    """
    if not is_heard():
        yield
        return
    tell(doing)
    # For the passes of other threads it says nothing, since nobody listens to those.
    hook = register_module_forward_pre_hook(lambda *_pass: tell(doing))
    try:
        yield
    finally:
        hook.remove()
