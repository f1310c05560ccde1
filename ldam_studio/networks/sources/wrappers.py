"""Wrappers that a module does not need here: those of torch.compile and of parallel training."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_lock = threading.Lock()
_depth = 0  # of `uncompiled`, on all threads
_compile = torch.compile


class Uncompiled(nn.Module):
    """Stands for what `torch.compile` makes of a module, with the same names of weights."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._orig_mod = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the module as it is."""
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__["_modules"].get("_orig_mod")
        return inner if name == "_orig_mod" else getattr(inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_orig_mod" or "_orig_mod" not in self.__dict__.get("_modules", ()):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Let code call `torch.compile` without compiling anything.

    Loading the compiler takes seconds, and compiling for each size and number of images minutes.
    """
    global _depth
    with _lock:
        _depth += 1
        torch.compile = _as_it_is
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                torch.compile = _compile
        if "torch._dynamo" in sys.modules:  # for what a library compiled when it was imported
            torch.compiler.set_stance("force_eager")


def _as_it_is(model: Any = None, **options: Any) -> Any:
    if model is None:
        return lambda model: _as_it_is(model, **options)
    return Uncompiled(model) if isinstance(model, nn.Module) else model


def unwrapped(module: nn.Module) -> nn.Module:
    """Return a module without wrappers around it and around its parts, which are replaced in place.

    Their input in `pixels` is kept. Other wrappers stay, such as averages of weights; those that
    would spread a batch over graphics cards do no more.
    """
    while (inner := _inside(module)) is not None:
        if "pixels" in vars(module):
            inner.pixels = module.pixels
        module = inner
    for part in list(module.modules()):
        if isinstance(part, torch.jit.ScriptModule):
            continue
        part._compiled_call_impl = None  # of nn.Module.compile
        if isinstance(part, nn.DataParallel):
            part.device_ids = []  # it then runs the module itself
        if isinstance(part, torch.fx.GraphModule):
            for name in ("train", "eval"):  # torch.export replaces them by errors
                vars(part).pop(name, None)
        for name, child in part._modules.items():
            while child is not None and (inner := _inside(child)) is not None:
                part._modules[name] = child = inner
    return module


def _inside(module: nn.Module) -> nn.Module | None:
    """Return the module in a wrapper; None if it is none."""
    parts = module._modules
    if isinstance(module, Uncompiled) or type(module).__name__ == "OptimizedModule":
        return parts.get("_orig_mod")
    parallel = nn.parallel.DistributedDataParallel
    return parts.get("module") if isinstance(module, parallel) else None
