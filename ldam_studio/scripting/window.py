"""`studio`: opening the window from a script or a notebook."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.in_memory import is_in_memory
from ldam_studio.user_presets import UserPresets


def studio(network: Network | str, *, preset: str | None = None) -> subprocess.Popen[bytes]:
    """Open the window with a network, in a process of its own.

    It stays open when the script ends or the notebook's kernel stops. Names of classes that were
    given as a list stay behind. Without a display the process does what ``ldam-studio`` does
    there: it runs for a few seconds and writes two pictures into the folder ``out``.

    Parameters
    ----------
    network
        A name as for `open_network`, or what that returned for a name.
    preset
        A set of settings.

    Returns
    -------
    The process; its `wait` returns when the window is closed.

    Raises
    ------
    StudioError
        If there is no such preset, or the network is a module in memory, which no other process
        has.
    """
    if preset is not None:
        UserPresets().find(preset)
    name = network if isinstance(network, str) else network.name
    if is_in_memory(name):
        raise StudioError(
            "The window is a process of its own and cannot see a module in memory; name a function "
            "that makes it, as FILE.py:FUNCTION, with its file of weights."
        )
    flags = [f"--network={name}"] if isinstance(network, str) else list(_flags(network))
    flags += [] if preset is None else [f"--preset={preset}"]
    # In a session of its own, so that Ctrl-C in the terminal does not close the window.
    return subprocess.Popen(
        [sys.executable, "-m", "ldam_studio", "studio", *flags], start_new_session=True
    )


def _flags(network: Network) -> Iterable[str]:
    """Yield the flags that open a network as it was opened."""
    given = network.provenance
    yield f"--network={network.name}"
    if given.weights is not None:
        key = "" if given.weights_key is None else f"::{given.weights_key}"
        yield f"--weights={given.weights}{key}"
    elif given.random_seed is not None:
        yield f"--weights=random:{given.random_seed}"
    if given.partial:
        yield "--partial"
    if given.given_labels is not None:
        yield f"--labels={given.given_labels}"
    if given.given_class_layer is not None:
        yield f"--class-layer={given.given_class_layer}"
    if given.given_pixels is not None:
        yield from _flags_of(given.given_pixels)


def _flags_of(pixels: PixelSpec) -> Iterable[str]:
    yield f"--input-size={'x'.join(map(str, pixels.shape))}"
    yield f"--mean={','.join(map(repr, pixels.mean))}"
    yield f"--std={','.join(map(repr, pixels.std))}"
    for name in ("rest", "minimum", "maximum"):
        yield f"--{name}={getattr(pixels, name)!r}"
    if pixels.shown:
        yield f"--show-channels={','.join(map(str, pixels.shown))}"
