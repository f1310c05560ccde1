"""Networks that a person's own code makes; opening one runs that code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.files import is_regular
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.sources.family import Family, Source
from ldam_studio.networks.sources.importing import START, Project
from ldam_studio.networks.sources.own_errors import (
    LONGEST_TRAINING_S,
    TrainsOnImport,
    place_of,
    training_is_stopped,
    what_argparse_said,
)
from ldam_studio.networks.sources.own_files import missing_file, with_its_files
from ldam_studio.networks.sources.own_module import module_of
from ldam_studio.networks.sources.packages import packages_above, project_of
from ldam_studio.networks.sources.recomputing import run_directly
from ldam_studio.progress import Stopped, in_persons_code, tell

USAGE = "FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION"
MOST_NAMES = 6  # functions that a message lists
FURTHER = 4  # folders above a file that are tried as its packages, besides those that are


def own_code_source(name: str) -> Source:
    """Return the source for ``path/file.py:function`` or ``package.module:function``.

    The file or module is imported here, which runs the user's code. Callers must pass only names
    from the command line, or from a dialog in which the user has agreed to that.

    What is named may be a function that works without arguments, a class, or a module that is made
    already. A function returns a module, which may have an attribute `pixels`, or a module with
    other things: a `PixelSpec`, a dictionary of its arguments, or transforms of images.

    Raises
    ------
    StudioError
        If there is no such file, module or function.
    """
    place, _, function_name = name.rpartition(":")
    tell(f"importing {Path(place).name}")
    is_file = place.endswith(".py")
    run_directly()
    notes: list[str] = []
    project, module = _import_file(Path(place), notes) if is_file else _import_module(place)
    try:
        named = attrgetter(function_name)(module)
    except AttributeError:
        named = None
    if not callable(named):
        raise StudioError(f"{place} has no function {function_name!r}; {_offered(module)}.")
    code = Path(getattr(module, "__file__", None) or place)
    home = code.parent

    def made(project: Project) -> Any:
        with project.running():
            project.seed(0)  # weights that stay random are the same each time
            return named()

    def build(_classes: int | None) -> nn.Module:
        if isinstance(named, nn.Module):
            return module_of(named, name)
        _check_arguments(named, name)
        with _in_a_sentence(f"{name} failed", home):
            returned = with_its_files(made, project, code, notes)
        project.go_on_drawing()
        return module_of(returned, name)

    return Source(build, notes=notes)


def _offered(module: ModuleType) -> str:
    """Return what to name instead of a function that a module lacks."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (isinstance(value, nn.Module) or getattr(value, "__module__", "") == module.__name__)
        and callable(value)
    ]
    if not own:
        return "write a function in it that returns the torch.nn.Module"
    more = ", …" if len(own) > MOST_NAMES else ""
    return f"it has {', '.join(own[:MOST_NAMES])}{more}"


def _check_arguments(function: Callable[..., Any], name: str) -> None:
    """Raise `StudioError` if a function cannot be called without arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # calling it shows
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        p.name
        for p in signature.parameters.values()
        if p.default is inspect.Parameter.empty and p.kind not in kinds
    ]
    if needed:
        called = name.rpartition(":")[2]
        given = ", ".join(f"{argument}=..." for argument in needed)
        raise StudioError(
            f"{name} needs {_listed(needed)}, but is called without arguments; add a function such "
            f"as def model(): return {called}({given}) to the file, and name that."
        )


def _listed(names: list[str]) -> str:
    *most, last = names
    what = "the argument" if not most else "the arguments"
    return f"{what} {', '.join(most)}{' and ' if most else ''}{last}"


@contextmanager
def _in_a_sentence(what: str, home: Path, otherwise: str = "") -> Iterator[None]:
    """Turn an error in the user's code into a sentence, and also an attempt to exit the program.

    Parameters
    ----------
    home
        The folder of the user's code.
    otherwise
        What to do if the error arose nowhere in that code.
    """
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()), in_persons_code():
            yield
    except (KeyboardInterrupt, Stopped):
        raise
    except TrainsOnImport as error:
        raise StudioError(
            f"{what}: it trains a network while it is imported, {place_of(error, home)}, and was "
            f"stopped after {LONGEST_TRAINING_S:.0f} s; put the training under if __name__ == "
            '"__main__":, and give the weights that it saves (--weights).'
        ) from None
    except BaseException as error:
        if is_lack_of_memory(error):
            raise  # not the code's fault
        said = what_argparse_said(error)
        if said:
            raise StudioError(
                f"{what}: it reads a command line, and there is none ({said}); give these "
                'arguments defaults, or parse them under if __name__ == "__main__":.'
            ) from None
        place = place_of(error, home)
        remedy = f"see {place}" if place else otherwise or "correct it first"
        missing = missing_file(error)
        if missing is not None:
            remedy += f" ({missing} is neither in {Path.cwd()} nor in the folders of the project)"
        raise StudioError(f"{what} ({in_short(error)}); {remedy}.") from None


def _import_file(path: Path, notes: list[str]) -> tuple[Project, ModuleType]:
    """Import a file, as a module of the packages in whose folders it lies; see `with_its_files`."""
    if not is_regular(path):
        raise StudioError(f"There is no file {path}; check the path.")
    place = path.absolute().parent if path.name == START else path.absolute()
    regular = packages_above(place)
    deepest = min(regular + FURTHER, len(place.parents) - 1)
    home = place.parents[max(regular, 1) - 1]
    with _in_a_sentence(f"{path} cannot be imported", home), training_is_stopped():
        for depth in range(regular, deepest + 1):
            project, name = project_of(path, depth)
            try:
                return project, _loaded(project, name, path, notes)
            except Exception as error:
                # It may name something above the folders that are its packages for certain.
                if isinstance(error, ImportError) and "relative import" in str(error):
                    if depth < deepest:
                        continue
                # A package may need much that this file of it does not.
                if depth == regular > 0 and not place_of(error, path.parent, only=path):
                    with _or(error):
                        alone, name = project_of(path, 0)
                        return alone, _loaded(alone, name, path, notes)
                raise
    raise AssertionError("the loop returns or raises")


def _loaded(project: Project, name: str, path: Path, notes: list[str]) -> ModuleType:
    return with_its_files(lambda project: project.load(name), project, path, notes)


@contextmanager
def _or(first: Exception) -> Iterator[None]:
    """Raise an earlier error instead of a later one."""
    try:
        yield
    except Exception:
        raise first from None


def _import_module(place: str) -> tuple[Project, ModuleType]:
    project = Project((Path(),), place)
    what = f"{place or 'the network'} cannot be imported"
    otherwise = f"write {USAGE}, or a name that ldam-studio info lists"
    with _in_a_sentence(what, Path(), otherwise), training_is_stopped():
        return project, project.load(place)


FAMILY: Family = Family(
    title="your own code",
    usage=USAGE,
    about="a function of yours that returns a torch.nn.Module",
    find=own_code_source,
    runs_code=True,
)
