"""Where a network's module comes from: a library, or a function in the person's own code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.libraries import (
    TIMM,
    TORCHVISION,
    Source,
    timm_source,
    torchvision_source,
)


def find_source(spec: str) -> Source:
    """Return what a specification names, without building it.

    Parameters
    ----------
    spec
        ``torchvision:NAME``, ``timm:NAME``, ``path/file.py:function`` or
        ``package.module:function``. The last two run the person's own code, so they come from the
        command line or a confirmed dialog only.

    Raises
    ------
    StudioError
        If there is no such model, file, module or function.
    """
    if spec.startswith(TORCHVISION):
        return torchvision_source(spec.removeprefix(TORCHVISION))
    if spec.startswith(TIMM):
        return timm_source(spec.removeprefix(TIMM))
    place, _, name = spec.rpartition(":")
    return _factory(place, name)


def _factory(place: str, name: str) -> Source:
    """Find a function in a file or a module; what it returns may carry a `pixels` attribute."""
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise StudioError(f"{place} has no function {name!r}; write FILE.py:FUNCTION.")

    def build(_classes: int | None) -> nn.Module:
        try:
            made = function()
        except Exception as error:
            raise StudioError(
                f"{place}:{name} failed ({in_short(error)}); it must work without arguments."
            ) from None
        if not isinstance(made, nn.Module):
            raise StudioError(
                f"{place}:{name} returned {type(made).__name__}, not a torch.nn.Module."
            )
        return made

    return Source(build)


def _import_file(path: Path) -> Any:
    if not path.is_file():
        raise StudioError(f"There is no file {path}; check the path.")
    name = f"ldam_studio_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Classes find their module by name when they are copied.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise StudioError(
            f"{path} cannot be imported ({in_short(error)}); mend it first."
        ) from None
    return module


def _import_module(place: str) -> Any:
    try:
        return importlib.import_module(place)
    except Exception as error:
        raise StudioError(
            f"{place or 'the network'} cannot be imported ({in_short(error)}); write "
            "lenet, torchvision:NAME, timm:NAME, FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION."
        ) from None
