"""The command that draws a layer in a process of its own, as another program starts it.

The process (``ldam-studio atlas --background``) says on its standard output how far it is: one
JSON object a line, see `Progress`. It ends when its standard input is closed, and leaves a folder
in which the same command goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ldam_studio.engine.suiting import are_classes
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import fitting
from ldam_studio.networks.discriminators import (
    DiscriminatorModel,
    discriminator_for,
    discriminator_of,
)
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.sources.in_memory import is_in_memory
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.choice import RANDOM, SEPARATOR
from ldam_studio.sampler.presets import find_preset
from ldam_studio.sampler.settings import SETTINGS, Settings, describe, is_of_chains
from ldam_studio.scripting.request import settings_for

PRESET = "clean"
"""The settings that ``ldam-studio atlas`` begins with."""


class Progress(Struct, frozen=True):
    """How far the process is: what it does, and how many of how many are done."""

    doing: str
    done: int
    total: int

    @classmethod
    def of(cls, line: bytes) -> Progress | None:
        """Read a line of the process; None if it says something else."""
        try:
            return msgspec.json.decode(line, type=cls)
        except msgspec.MsgspecError:
            return None

    @property
    def line(self) -> str:
        """The line that says it."""
        return msgspec.json.encode(self).decode()


def program() -> list[str]:
    """Return the program and its first arguments."""
    return [sys.executable, "-m", "ldam_studio", "atlas", "--background"]


def network_flags(network: Network) -> list[str]:
    """Return the flags that open a network again.

    Raises
    ------
    StudioError
        If no other process can open it: it lies in memory, or its weights are in no file.
    """
    given, title = network.provenance, short_name(network.name)
    if is_in_memory(network.name):
        raise StudioError(
            f"{title} lies in the memory of a Python program, where another process cannot read "
            "it; draw a contact sheet instead."
        )
    if given.mean_of or given.untrained or not given.sha256:
        raise StudioError(
            f"The weights of {title} are in no file, from which another process could read them; "
            "save them first, or draw a contact sheet instead."
        )
    request = NetworkRequest.like(network).absolute()
    flags = [f"--network={request.name}", f"--weights-sha256={given.sha256}"]
    if given.weights is not None:
        key = "" if given.weights_key is None else f"{SEPARATOR}{given.weights_key}"
        flags.append(f"--weights={given.weights.absolute()}{key}")
    elif given.random_seed is not None:
        flags.append(f"--weights={RANDOM}:{given.random_seed}")
    if request.labels is not None:
        flags.append(f"--labels={request.labels}")
    if request.class_layer is not None:
        flags.append(f"--class-layer={request.class_layer}")
    flags += [f"--{name}" for name in ("partial", "steady") if getattr(request, name)]
    return flags + ([] if request.pixels is None else _pixel_flags(request.pixels))


def _pixel_flags(pixels: PixelSpec) -> list[str]:
    size = f"{pixels.channels}x{pixels.height}x{pixels.width}"
    values = {
        "input-size": size,
        "mean": _listed(pixels.mean),
        "std": _listed(pixels.std),
        "rest": repr(pixels.rest),
        "minimum": repr(pixels.minimum),
        "maximum": repr(pixels.maximum),
        "show-channels": _listed(pixels.shown),
    }
    return [f"--{name}={value}" for name, value in values.items() if value]


def _listed(values: Sequence[float]) -> str:
    return ",".join(map(repr, values))


def settings_flags(
    network: Network,
    layer: str,
    wanted: Settings,
    discriminator: DiscriminatorModel | None,
) -> list[str]:
    """Return the flags with which a layer is drawn with these settings.

    What suits the layer anyway is left out, so that other layers of the same atlas get what suits
    them.

    Raises
    ------
    StudioError
        If chains have different values, or the discriminator is another one than other processes
        have.
    """
    values = {name: _one(name, getattr(wanted, name)) for name in SETTINGS if is_of_chains(name)}
    if values["discriminator_weight"] != 0:
        shipped = discriminator_of(network, None, "set its weight to 0")
        if discriminator is not None and discriminator.sha256 != shipped.sha256:
            raise StudioError(
                "This session has a discriminator of its own, and an atlas is drawn with the one "
                "that ships; set the discriminator's weight to 0, or draw a contact sheet instead."
            )
    given: dict[str, Any] = {}
    for _again in values:  # a value that is given may change what else suits the layer
        by_itself = _drawn_with(network, layer, given)
        others = {n: v for n, v in values.items() if getattr(by_itself, n) != v}
        if not others:
            break
        given |= others
    return [_flag(name, value) for name, value in given.items()]


def _drawn_with(network: Network, layer: str, given: dict[str, Any]) -> Settings:
    """Return the settings with which the command draws a layer, given some of them by flags."""
    neurons = (Neuron(layer, 0),)
    judged = are_classes(network, neurons) and discriminator_for(network) is not None
    settings = settings_for(network.pixels, find_preset(PRESET), given, discriminator=judged)
    return fitting(network, neurons, settings).with_values(given)


def _one(name: str, value: Any) -> Any:
    """Return the one value that all chains have."""
    if not isinstance(value, tuple):
        return value
    if len(set(value)) > 1:
        raise StudioError(
            f"{describe(name).label} differs from chain to chain, and an atlas has one value for "
            "all; set it to one value, or draw a contact sheet instead."
        )
    return value[0]


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag}={value}"
