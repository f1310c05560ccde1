"""What went wrong in a person's own code, and where."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.optim.optimizer import register_optimizer_step_pre_hook

from ldam_studio.networks.anatomy.failing import PROGRAM

LONGEST_TRAINING_S = 20.0
"""How long a file may train while it is imported; a network that it fits quickly is welcome."""


class TrainsOnImport(BaseException):
    """A file trains a network when it is imported. It is no `Exception`, which code may catch."""


@contextmanager
def training_is_stopped() -> Iterator[None]:
    """Raise `TrainsOnImport` in an optimiser's step after `LONGEST_TRAINING_S` in the context."""
    begun, thread = time.monotonic(), threading.get_ident()

    def check(*_step: Any) -> None:
        late = time.monotonic() - begun > LONGEST_TRAINING_S
        if late and threading.get_ident() == thread:
            raise TrainsOnImport

    hook = register_optimizer_step_pre_hook(check)
    try:
        yield
    finally:
        hook.remove()


def place_of(error: BaseException, home: Path, only: Path | None = None) -> str:
    """Return the line of the code in the folder `home` at which an error arose, in words.

    The last line counts that is not an installed library's. Empty if there is none; with `only`,
    also if no line of that file led there.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        found = [(error.filename, error.lineno)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        found = [(frame.filename, frame.lineno or 0) for frame in frames]
    folder = home.absolute()
    # Python's own importing has no file.
    own = [(Path(file).absolute(), line) for file, line in found if not file.startswith("<")]
    own = [(file, line) for file, line in own if {folder, PROGRAM} & {*file.parents} == {folder}]
    own = [(file, line) for file, line in own if "site-packages" not in file.parts] or own
    if not own or (only is not None and only.absolute() not in [file for file, _ in own]):
        return ""
    file, line = own[-1]
    return f"line {line} of {file.relative_to(folder)}"


def what_argparse_said(error: BaseException) -> str:
    """Return why argparse ended the program; empty if it did not."""
    trace = error.__traceback__ if isinstance(error, SystemExit) else None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "error" and Path(code.co_filename).name == "argparse.py":
            return str(trace.tb_frame.f_locals.get("message", ""))
        trace = trace.tb_next
    return ""
