"""Networks that a function in the user's own code returns; opening one runs that code."""

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
from ldam_studio.networks.sources.family import Family, Source
from ldam_studio.networks.sources.own_module import module_of

USAGE = "FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION"


def own_code_source(name: str) -> Source:
    """Return the source for ``path/file.py:function`` or ``package.module:function``.

    The file or module is imported here, which runs the user's code. Callers must pass only names
    from the command line, or from a dialog in which the user has agreed to that.

    The function returns a module, which may have an attribute `pixels`, or a module and its pixels:
    a `PixelSpec`, or a dictionary of its arguments.

    Raises
    ------
    StudioError
        If there is no such file, module or function.
    """
    place, _, function_name = name.rpartition(":")
    is_file = place.endswith(".py")
    folder = Path(place).parent if is_file else Path()
    with _importing_from(folder):
        module = _import_file(Path(place)) if is_file else _import_module(place)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise StudioError(f"{place} has no function {function_name!r}; write FILE.py:FUNCTION.")

    home = Path(getattr(module, "__file__", None) or place).parent

    def build(_classes: int | None) -> nn.Module:
        with (
            _in_a_sentence(f"{name} failed", lambda error: _remedy(error, home)),
            _importing_from(folder),
        ):
            made = function()
        return module_of(made, name)

    return Source(build)


@contextmanager
def _in_a_sentence(what: str, remedy: Callable[[BaseException], str]) -> Iterator[None]:
    """Turn an error in the user's code into a sentence, and also an attempt to exit the program.

    Afterwards it is restored whether torch computes gradients.
    """
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()):
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if is_lack_of_memory(error):
            raise  # not the code's fault
        raise StudioError(f"{what} ({in_short(error)}); {remedy(error)}.") from None


def _remedy(error: BaseException, home: Path) -> str:
    """Return what to do about an error of a function in the code in the folder `home`."""
    # If all frames are in this file, which makes the call, the function was never entered.
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    if not frames:
        return "it must work without arguments"
    folder = home.absolute()
    own = [f for f in frames if folder in Path(f.filename).absolute().parents]
    # The libraries that a project uses often lie in a folder inside it.
    own = [f for f in own if "site-packages" not in Path(f.filename).parts] or own or frames[:1]
    return f"see line {own[-1].lineno} of {Path(own[-1].filename).name}"


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let code import modules from its own folder, as if it were run by itself.

    Everything that the code prints goes to standard error, because it is not the program's output.
    Modules imported from the folder are removed afterwards, so that edited ones are read again and
    another folder may have modules with the same names.
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
    """Return whether a module is `top`.py, the package `top`, or inside that package."""
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
    # A class looks up its module by name when an object is copied.
    sys.modules[name] = module
    try:
        with _in_a_sentence(f"{path} cannot be imported", lambda _error: "correct it first"):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_module(place: str) -> Any:
    what = f"{place or 'the network'} cannot be imported"
    with _in_a_sentence(
        what, lambda _error: f"write {USAGE}, or a name that ldam-studio info lists"
    ):
        return importlib.import_module(place)


FAMILY = Family(
    title="your own code",
    usage=USAGE,
    about="a function of yours that returns a torch.nn.Module",
    find=own_code_source,
    runs_code=True,
)
