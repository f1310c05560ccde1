"""Where a network's module comes from: a library, or a function in the person's own code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.sources.libraries import (
    TIMM,
    TORCHVISION,
    Source,
    timm_source,
    torchvision_source,
)
from ldam_studio.networks.sources.own_code import module_of


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
    """Find a function in a file or a module.

    What it returns may have a `pixels` attribute, or be a module and its pixels: a `PixelSpec` or a
    dictionary of what that takes.
    """
    is_file = place.endswith(".py")
    folder = Path(place).parent if is_file else Path()
    with _beside(folder):
        module = _import_file(Path(place)) if is_file else _import_module(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise StudioError(f"{place} has no function {name!r}; write FILE.py:FUNCTION.")

    home = Path(getattr(module, "__file__", None) or place).parent

    def build(_classes: int | None) -> nn.Module:
        with (
            _told(f"{place}:{name} failed", lambda error: _way_out(error, home)),
            _beside(folder),
        ):
            made = function()
        return module_of(made, f"{place}:{name}")

    return Source(build)


@contextmanager
def _told(what: str, way_out: Callable[[BaseException], str]) -> Iterator[None]:
    """Turn whatever a person's code ends in into a sentence; a script may also end itself.

    Whether gradients are computed is afterwards as it was.
    """
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()):
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if is_lack_of_memory(error):
            raise  # which is not the code's fault
        raise StudioError(f"{what} ({in_short(error)}); {way_out(error)}.") from None


def _way_out(error: BaseException, home: Path) -> str:
    """Return what to do about an error of a function, in terms of the code that lies at `home`."""
    # Without a frame beside the call's, which is in this file, the function was not even entered.
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    if not frames:
        return "it must work without arguments"
    folder = home.absolute()
    own = [f for f in frames if folder in Path(f.filename).absolute().parents]
    # A project's libraries often lie in a folder of its own.
    own = [f for f in own if "site-packages" not in Path(f.filename).parts] or own or frames[:1]
    return f"see line {own[-1].lineno} of {Path(own[-1].filename).name}"


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let code import what lies beside it, as when it is run by itself.

    What it prints is no output of the program's. What is imported from there is forgotten, so that
    it is read anew when it was edited, and so that another folder's modules may have the same
    names.
    """
    place = str(folder.absolute())
    before = set(sys.modules)
    sys.path.insert(0, place)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path.remove(place)
        for name in set(sys.modules) - before:
            top = name.partition(".")[0]
            if top not in before and _lies_in(sys.modules[name], Path(place) / top):
                del sys.modules[name]


def _lies_in(module: Any, top: Path) -> bool:
    """Whether a module is `top`.py, the package `top`, or in that package."""
    files = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    places = [Path(file) for file in files if file]
    return any(p in (top, top.with_name(f"{top.name}.py")) or top in p.parents for p in places)


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
        with _told(f"{path} cannot be imported", lambda _error: "mend it first"):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_module(place: str) -> Any:
    ways = "lenet, torchvision:NAME, timm:NAME, FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION"
    with _told(f"{place or 'the network'} cannot be imported", lambda _error: f"write {ways}"):
        return importlib.import_module(place)
