"""Loading a module of a person's code from its file, as the file is now."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any


class FreshLoader(SourceFileLoader):
    """Loads a file as it is now, without the copy that Python keeps of the compiled one.

    That copy is told from a new file by size and full seconds only.
    """

    def __init__(self, name: str, path: str, own_builtins: dict[str, Any]) -> None:
        super().__init__(name, path)
        self._builtins = own_builtins

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, whose import statements from now on find those of its project."""
        vars(module)["__builtins__"] = self._builtins
        super().exec_module(module)
