"""The window in a process of its own, which gets from a script what it shows.

The script sends two pickles on standard input: where Python finds modules, and an `Asked`. Nobody
else can write there. The process answers on standard output with one line of JSON: null, or a
sentence about what is wrong with what was asked. Importing this module does not import Qt.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.network import Network

if TYPE_CHECKING:
    from ldam_studio.gui.app.asked import Asked
    from ldam_studio.gui.app.start import Start

INSTEAD = (
    "Call studio with own_process=False, or name a function that makes the module, as "
    "FILE.py:FUNCTION, with its file of weights."
)


def open_apart(asked: Asked) -> subprocess.Popen[bytes]:
    """Open the window in a process of its own; return once it has what it shows.

    Raises
    ------
    StudioError
        If a module cannot be sent there, or that process does not open what was asked for.
    """
    pickles = sent(asked)
    # In a session of its own, so that Ctrl-C in the terminal does not close the window.
    window = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
    )
    try:
        said = _answer(window, pickles)
    except BaseException:  # Ctrl-C, too
        window.kill()
        window.wait()
        raise
    if said is not None:
        window.wait()
        raise StudioError(said)
    return window


def sent(asked: Asked) -> bytes:
    """Return what the other process gets; raises as `open_apart` does."""
    from ldam_studio.scripting.undisturbed import undisturbed

    with undisturbed():
        return pickle.dumps(sys.path) + _pickled(asked.to_send())


def _pickled(asked: Asked) -> bytes:
    """Return what is asked for as a pickle, with the classes of a notebook where that is possible.

    Raises
    ------
    StudioError
        If the module has what no pickle can hold.
    """
    network = asked.network
    dumps = pickle.dumps
    if isinstance(network, Network):
        try:
            dumps = import_module("cloudpickle").dumps
        except ImportError:
            if any(_is_of_notebook(part) for part in network.module.modules()):
                raise StudioError(
                    f"{network.name} is of a class that this program defines itself, which only "
                    f"cloudpickle sends elsewhere: pip install cloudpickle. {INSTEAD}"
                ) from None
    try:
        return bytes(dumps(asked))
    except Exception as error:  # classes may define how they are pickled
        what = network.name if isinstance(network, Network) else "What was asked for"
        raise StudioError(
            f"{what} cannot be sent to another process ({in_short(error)}). {INSTEAD}"
        ) from None


def _is_of_notebook(module: nn.Module) -> bool:
    return type(module).__module__ == "__main__"


def _answer(window: subprocess.Popen[bytes], pickles: bytes) -> str | None:
    """Send what is asked for; return what is wrong with it, None for nothing."""
    assert window.stdin is not None and window.stdout is not None
    with window.stdout as answers:
        try:
            with window.stdin as pipe:
                pipe.write(pickles)
        except OSError:
            pass  # it has ended; what it said is read below
        line = answers.readline()
    try:
        said = json.loads(line)
    except ValueError:
        said = "The window could not be started; the terminal says why."
    return None if said is None else str(said)


def main() -> int:
    """Open what the standard input asks for, and answer; return the exit code."""
    wrong, start = None, None
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what a module prints while it is made, or later, is no answer
        try:
            start = received(sys.stdin.buffer)
            start.device.apply()
        except StudioError as error:
            wrong, start = str(error), None
        print(json.dumps(wrong), file=answers)
    if start is None:
        return 1
    from ldam_studio.gui.app.launch import open_studio

    return open_studio(start)


def received(pickles: BinaryIO) -> Start:
    """Return what the window starts with, as a script has `sent` it.

    Raises
    ------
    StudioError
        If the module cannot be made again, Qt does not load, or as `start_of` does.
    """
    from ldam_studio.gui.app.asked import start_of
    from ldam_studio.gui.app.launch import load_qt

    sys.path[:] = pickle.load(pickles)
    try:
        asked = pickle.load(pickles)
    except Exception as error:  # a class that this process cannot import, for example
        raise StudioError(
            f"The module cannot be made again in another process ({in_short(error)}). {INSTEAD}"
        ) from None
    load_qt()
    return start_of(asked)


if __name__ == "__main__":
    sys.exit(main())
