"""Importing a person's code as Python would in a program of its own, beside everything else.

A `Project` has modules of its own: only its code finds them, so that two projects may have modules
of the same name and an edited file is read again.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ldam_studio.networks.sources.loader import FreshLoader
from ldam_studio.networks.sources.surroundings import put, seed, surroundings
from ldam_studio.networks.sources.wrappers import uncompiled

DEEPEST = 6
"""Most folders above a file that are tried as its packages."""

SEED_OF_IMPORT = 5_610_279
"""Torch's seed during an import; a file that has set no other leaves the choice to the program."""

ONLY_ONCE = frozenset({"ldam_studio", "torch", "torchvision", "numpy", "PIL", "PyQt6", "scipy"})
"""Packages that cannot be loaded twice; a person's module of such a name does not replace them."""

LIBRARIES = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages, which often lie inside a project's own."""

START = "__init__.py"
"""The file of a package that is imported with it."""

PROGRAM_S = frozenset({"argv", "input", "output", "errors", "signals"})
"""Parts of the surroundings that are the program's whatever the project's code does with them."""

_LOCK = threading.RLock()
"""Held while modules of one project are in `sys.modules`."""

_LEFT: dict[str, ModuleType] = {}
"""Modules of projects that no code of theirs runs for, by name; those of the last one count."""


class Project:
    """The code in a person's folders, with the modules that were imported from there.

    Parameters
    ----------
    folders
        Where its modules are found, before all installed ones.
    program
        What code finds as the name of the running program (``sys.argv[0]``).
    packages
        Modules and packages at fixed places, by their full names: a file or a folder.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        program: str,
        packages: Mapping[str, Path] | None = None,
    ) -> None:
        self._folders = tuple(dict.fromkeys(str(folder.absolute()) for folder in folders))
        self._packages = dict(packages or {})
        self._above = {
            place.name: place.parent
            for folder in map(Path, self._folders)
            for place in (*reversed(folder.parents), folder)
        }
        self._program = program
        self._modules: dict[str, ModuleType] = {}
        self._tops = set(map(_top, self._packages))  # names of its modules and packages
        self._others: frozenset[str] = frozenset()  # such names that are not its own
        self._others_path: frozenset[str] = frozenset()
        self._around: dict[str, Any] = {}
        self._before: dict[str, Any] = {}  # the same when its code began to run the last time
        self._folder: Path | None = None  # the current folder from the next run on
        self._shown = 0
        # What its code sets there, as line_profiler's `profile`, is for its code alone.
        self._builtins = ModuleType(builtins.__name__)
        vars(self._builtins).update(vars(builtins), __import__=self._import)

    def load(self, name: str) -> ModuleType:
        """Import a module, which runs its code."""
        importlib.invalidate_caches()
        with self.running():
            return importlib.import_module(name)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let code of the project run: with its modules, and with what it has set for itself.

        It finds the command line of a program without arguments, and nothing to read on standard
        input. What it prints goes to standard error. Afterwards the program is as it was; what the
        code has set, such as torch's default precision or its seed, holds again when it runs next.
        """
        with _LOCK, open(os.devnull) as nothing, self._shown_modules():
            before = surroundings()
            self._before = self._around
            try:
                if self._around:
                    put(self._around)
                else:
                    seed(SEED_OF_IMPORT)
                    sys.path[:0] = self._folders
                if self._folder is not None:
                    os.chdir(self._folder)
                    self._folder = None
                sys.argv, sys.stdin = [self._program], nothing
                with redirect_stdout(sys.stderr), uncompiled():
                    yield
            finally:
                self._see_new_builtins()
                try:
                    after = surroundings()
                    self._around = {name: after[name] for name in after if name not in PROGRAM_S}
                finally:
                    put(before)

    def _see_new_builtins(self) -> None:
        """Let the project's code find what a library has set there, as gettext's `install` does."""
        own = vars(self._builtins)
        for name in vars(builtins).keys() - own.keys():
            own[name] = getattr(builtins, name)

    def begin_again_in(self, folder: Path) -> None:
        """Let the project's code run next as if it had not run the last time, in another folder.

        Its later runs are in that folder, too.
        """
        self._around, self._folder = self._before, folder

    def seed(self, number: int) -> None:
        """Seed torch for what the project's code does now, unless it has chosen a seed itself."""
        if torch.initial_seed() == SEED_OF_IMPORT:
            torch.manual_seed(number)

    def go_on_drawing(self) -> None:
        """Let torch draw its next random numbers as if the project's code went on."""
        torch.set_rng_state(self._around["torch"])

    # Which modules are whose

    @contextmanager
    def _shown_modules(self) -> Iterator[None]:
        """Put the project's modules into `sys.modules`, in place of others of the same name."""
        with _LOCK:
            if self._shown:
                yield
                return
            for name, module in _LEFT.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
            known = sys.modules.copy()
            # A library has hundreds of modules, and files are looked for: once for each library.
            replaced = {top for top in set(map(_top, known)) if self._replaces(top)}
            hidden = {name: known[name] for name in known if _top(name) in replaced}
            others = known.keys() - hidden.keys()
            self._others = frozenset(map(_top, others))
            self._others_path = frozenset(sys.path)
            for name in hidden:
                del sys.modules[name]
            sys.modules.update(self._modules)
            finder = _Finder(self)
            sys.meta_path.insert(_before_folders(), finder)
            self._shown += 1
            try:
                yield
            finally:
                self._shown -= 1
                sys.meta_path.remove(finder)
                now = sys.modules.copy()
                own = [n for n in now.keys() - others if _top(n) in self._tops]
                self._modules = {name: now[name] for name in own}
                for name in own:
                    del sys.modules[name]
                sys.modules.update(hidden)
                _leave(self._modules)

    def _replaces(self, top: str) -> bool:
        """Return whether the project has a module of its own instead of a loaded one."""
        if is_taken(top):
            return False
        if top in self._tops:
            return True
        loaded = getattr(sys.modules.get(top), "__file__", None)
        for folder in self._folders:
            for own in (os.path.join(folder, f"{top}.py"), os.path.join(folder, top, START)):
                if os.path.isfile(own):
                    return own != loaded
        return False

    def _is_own(self, spec: ModuleSpec) -> bool:
        """Return whether a top-level module lies in a folder of the project.

        The folders that its code has added to `sys.path` are the project's, too, unless installed
        packages lie there.
        """
        places = spec.submodule_search_locations or [spec.origin or ""]
        folder = Path(next(iter(places), "")).absolute().parent
        others = {str(Path(place).absolute()) for place in self._others_path}
        if str(folder) in self._folders:
            return True
        return str(folder) not in others and not LIBRARIES & set(folder.parts)

    def spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Return how a module of the project is loaded; None if it has none of this name."""
        if name in self._packages:
            return self._spec_at(name, self._packages[name])
        if path is not None:
            spec = PathFinder.find_spec(name, path) if _top(name) in self._tops else None
        elif name in self._others:
            return None
        else:
            spec = PathFinder.find_spec(name)
            if spec is None and name in self._above:
                # A file may call its own package by its full name, wherever that begins.
                spec = PathFinder.find_spec(name, [str(self._above[name])])
            elif spec is not None and not self._is_own(spec):
                return None
            if spec is not None:
                self._tops.add(name)
        if spec is not None and spec.origin and type(spec.loader) is SourceFileLoader:
            spec.loader = FreshLoader(name, spec.origin, vars(self._builtins))
        return spec

    def _spec_at(self, name: str, place: Path) -> ModuleSpec:
        """Return how the module in a file is loaded, or the package in a folder."""
        inside = None if place.is_file() else [str(place)]
        file = place if inside is None else place / START
        if not file.is_file():
            spec = ModuleSpec(name, None, is_package=True)  # a folder without a file of its own
            spec.submodule_search_locations = inside
            return spec
        loader = FreshLoader(name, str(file), vars(self._builtins))
        found = spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=inside
        )
        assert found is not None
        return found

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        """Do what an import statement in the project's code says, whenever it is reached.

        A forward pass may import, too, long after the project was.
        """
        if level == 0 and name == builtins.__name__:
            return self._builtins
        is_others = level == 0 and name in sys.modules and not self._replaces(_top(name))
        if self._shown or is_others:
            return builtins.__import__(name, globals, locals, fromlist, level)
        with self._shown_modules():
            path = sys.path[:]
            sys.path[:] = self._around.get("path", path)
            try:
                return builtins.__import__(name, globals, locals, fromlist, level)
            finally:
                sys.path[:] = path


def _leave(modules: Mapping[str, ModuleType]) -> None:
    """Leave modules where typing, dataclasses and copies look them up by name, while code runs.

    Only names that mean nothing else are left, and the next project does not find them.
    """
    _LEFT.update(modules)
    for name, module in _LEFT.items():
        file = getattr(_LEFT.get(_top(name)), "__file__", None)
        if name not in sys.modules and _means_nothing_else(_top(name), file):
            sys.modules[name] = module


@lru_cache(maxsize=256)  # a forward pass that imports asks again and again
def _means_nothing_else(top: str, file: str | None) -> bool:
    """Return whether no installed module has a name, besides the one in `file`."""
    spec = PathFinder.find_spec(top)
    return spec is None or (file is not None and spec.origin == file)


def is_taken(name: str) -> bool:
    """Return whether a module of this name must stay what it is."""
    return name in ONLY_ONCE or name in sys.stdlib_module_names


def _top(name: str) -> str:
    """Return the first part of a module's full name."""
    return name.partition(".")[0]


def _before_folders() -> int:
    """Return the place in `sys.meta_path` of what looks into the folders of `sys.path`."""
    return sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)


class _Finder(MetaPathFinder):
    """Finds a project's modules before installed ones."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return self._project.spec(fullname, path)
