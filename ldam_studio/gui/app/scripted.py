"""`studio`: the window of a script or of a notebook. Importing this module does not import Qt."""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.app.apart import open_apart
from ldam_studio.gui.app.asked import Asked, start_of
from ldam_studio.gui.app.launch import load_qt
from ldam_studio.scripting.undisturbed import undisturbed

if TYPE_CHECKING:
    import subprocess

    from torch import nn

    from ldam_studio.networks.network import Network
    from ldam_studio.scripting.neurons import Neurons


def studio(
    network: Network | nn.Module | str,
    neurons: Neurons | None = None,
    *,
    preset: str | None = None,
    chains: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    own_process: bool | None = None,
    **settings: Any,
) -> subprocess.Popen[bytes] | None:
    """Open the window with a network.

    In a script it opens in the script's own process, and the script goes on when it is closed. In
    a notebook, or at Python's prompt, it gets a process of its own, so that you can go on at once;
    that process stays when the notebook's kernel stops.

    With a preset, the window draws what `sample` draws with the same arguments. The session of a
    module in memory is not kept when the window closes, since nothing could open it again; sessions
    of all other networks are, as those of ``ldam-studio``. Without a display it does what
    ``ldam-studio`` does there: it runs for a few seconds and writes two pictures into ``out``.

    Parameters
    ----------
    network
        What `open_network` returned, or what it takes.
    neurons, chains
        As for `sample`; None for the first classes, and as many chains as the window chooses.
    preset
        A set of settings, as for `sample`; None for those with which the window opens this network.
    seed
        Seed of all random numbers, from 0; None for the window's own.
    device, precision, threads
        As for `sample`; by default, what is fastest is measured.
    own_process
        Whether the window gets a process of its own. A module in memory is then sent there with
        `pickle`, or with ``cloudpickle`` where that is installed, which also sends classes that a
        notebook defines. None for yes in a notebook and at a prompt, else no.
    settings
        Any setting of the chains by its name, such as ``temperature=0.01``.

    Returns
    -------
    The window's process, whose `wait` returns when it is closed; None where it had none of its own.

    Raises
    ------
    StudioError
        If there is no such network, neuron, preset, setting or device, a value is out of range, Qt
        does not load, a module cannot be sent to another process, or a window in this process is
        asked for beside another program's Qt, or outside the main thread.
    """
    asked = Asked(network, neurons, preset, chains, seed, device, precision, threads, settings)
    if is_interactive() if own_process is None else own_process:
        return open_apart(asked)
    load_qt()
    from ldam_studio.gui.app.here import check_can_show, show

    check_can_show()
    with undisturbed():
        show(start_of(asked))
    return None


def is_interactive() -> bool:
    """Return whether a person types what Python runs: in a notebook, or at a prompt."""
    return hasattr(sys, "ps1") or hasattr(builtins, "__IPYTHON__")
