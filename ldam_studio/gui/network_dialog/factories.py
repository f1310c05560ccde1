"""What in a person's file may make a network, the likeliest first; the file is read, not run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes

LARGEST_CODE = 100_000  # bytes; searching a larger file for functions would freeze the window
_CALLED_A_NETWORK = re.compile(
    r"((build|create|make|get|load|new|init)_?)?(the_|my_)?(model|net|network)", re.IGNORECASE
)
_MODULES = ("Module", "ModuleList", "Sequential")  # how names of classes of modules end
_DATA = "DataModule"  # is no torch.nn.Module

Definition = ast.FunctionDef | ast.ClassDef


def functions_in(path: Path) -> list[str]:
    """Return the names of a file's top-level functions and classes, the likeliest network first.

    What needs arguments comes last, because it is called without any. Before it come names such as
    `build_model`, then classes of modules, the last one first, because a file defines a network
    after its parts; then other functions and classes.
    """
    try:
        if path.suffix != ".py":
            return []
        tree = ast.parse(read_bytes(path, LARGEST_CODE))
    except (StudioError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # opening the file will report what is wrong
    found = _File({n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)})
    names = [name for name in found.defined if not name.startswith("_")]
    return sorted(names, key=lambda name: found.rank(name, names.index(name)))


@dataclass(frozen=True)
class _File:
    """The functions and classes of a file, by name."""

    defined: dict[str, Definition]

    def rank(self, name: str, at: int) -> tuple[bool, int, int]:
        """Return where something belongs in the list; it is the one at place `at` in the file."""
        node = self.defined[name]
        is_class = isinstance(node, ast.ClassDef)
        is_module = isinstance(node, ast.ClassDef) and self._is_module(node)
        if _CALLED_A_NETWORK.fullmatch(name):
            kind = 1 if is_class else 0
        elif is_module:
            kind = 2 if self._takes_one_image(node) else 5
        elif not is_class:
            kind = 3 if _returns_something(node) else 4
        else:
            kind = 6
        return not self._is_free(node), kind, -at if is_module else at

    def _bases(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """Return a class and those above it in this file, nearest first."""
        line: list[ast.ClassDef] = []
        waiting = [node]
        while waiting:
            here = waiting.pop(0)
            if here not in line:
                line.append(here)
                above = (self.defined.get(_last_name(base)) for base in here.bases)
                waiting += [base for base in above if isinstance(base, ast.ClassDef)]
        return line

    def _method(self, node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
        methods = (each for base in self._bases(node) for each in base.body)
        found = (m for m in methods if isinstance(m, ast.FunctionDef) and m.name == name)
        return next(found, None)

    def _is_module(self, node: ast.ClassDef) -> bool:
        """Whether a class is one of modules, or at least has a `forward`."""
        names = [_last_name(base) for each in self._bases(node) for base in each.bases]
        known = any(name.endswith(_MODULES) and not name.endswith(_DATA) for name in names)
        return known or self._method(node, "forward") is not None

    def _takes_one_image(self, node: Definition) -> bool:
        """Whether a class of modules is shown one thing; a loss compares two."""
        method = self._method(node, "forward") if isinstance(node, ast.ClassDef) else None
        return method is None or _required(method) <= 2  # `self` is one of them

    def _is_free(self, node: Definition) -> bool:
        """Whether something can be called without arguments."""
        if isinstance(node, ast.FunctionDef):
            return _required(node) == 0
        made = self._method(node, "__init__")
        if made is not None:
            return _required(made) <= 1
        is_record = any("dataclass" in ast.dump(each) for each in node.decorator_list)
        return not (is_record and any(_lacks_value(each) for each in node.body))


def _required(function: ast.FunctionDef) -> int:
    """Return how many arguments a function has to be given, `self` included."""
    given = function.args
    named = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return named + given.kw_defaults.count(None)


def _returns_something(node: Definition) -> bool:
    """Whether a function returns a value; a training or a test mostly does not."""
    return any(isinstance(each, ast.Return) and each.value for each in ast.walk(node))


def _lacks_value(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and statement.value is None


def _last_name(base: ast.expr) -> str:
    """Return the last word of a name: ``Module`` of ``nn.Module`` and of ``Module[int]``."""
    if isinstance(base, ast.Subscript):
        base = base.value
    return base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
