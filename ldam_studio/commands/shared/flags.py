"""Flags made from the settings' descriptions, and those that every sampling command shares."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ldam_studio.engine.compute.device import DEVICES, PRECISIONS, Device, choose
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network, Neuron, parse_neurons
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources import families
from ldam_studio.networks.sources.labels import class_called, classes_like
from ldam_studio.networks.sources.opening import Options, open_network
from ldam_studio.sampler.presets import PRESETS, Preset
from ldam_studio.sampler.setting import Setting
from ldam_studio.sampler.settings import SETTINGS, Settings, is_of_chains, parse
from ldam_studio.user_presets import UserPresets

ALIASES = {"discriminator_weight": ("--discriminator",)}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting of the chains; what is not given is None."""
    group = parser.add_argument_group("settings")
    add_preset(group)
    for setting in SETTINGS.values():
        if setting.of_chains:
            _add_setting(group, setting)


def _add_setting(group: argparse._ArgumentGroup, setting: Setting) -> None:
    name = setting.name
    flags = (f"--{name.replace('_', '-')}", *ALIASES.get(name, ()))
    text = f"{setting.help} Default: {_shown(setting.default)}".replace("%", "%%")
    if setting.scale == "flag":
        group.add_argument(
            *flags, dest=name, default=None, action=argparse.BooleanOptionalAction, help=text
        )
        return
    metavar = "|".join(setting.choices) or ("auto|N" if setting.auto else "N")
    group.add_argument(
        *flags, dest=name, default=None, type=partial(parse, name), metavar=metavar, help=text
    )


def _shown(value: Any) -> str:
    return f"{value:g}." if isinstance(value, float) else f"{value}."


def add_preset(parser: argparse._ActionsContainer) -> None:
    """Add ``--preset``."""
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"a set of settings: {', '.join(PRESETS)}, or one that you saved in the window",
    )


def neurons_of(texts: Sequence[str] | None, network: Network) -> list[Neuron]:
    """Return the neurons that ``--neuron`` names: addresses, ranges of them, or classes by name.

    Raises
    ------
    StudioError
        If one is none of these.
    """
    return [neuron for text in texts or () for neuron in _neurons_called(text, network)]


def _neurons_called(text: str, network: Network) -> list[Neuron]:
    last = network.layers[-1].name
    name = text.strip().removeprefix("-").removeprefix(f"{last}:")
    try:
        return parse_neurons(text)
    except StudioError:
        index = class_called(name, network.labels)
        if index is None and not (near := classes_like(name, network.labels)):
            raise
    if index is None:
        raise StudioError(
            f"{text!r} is no neuron, such as {last}:0, and no class; there is {', '.join(near)}."
        )
    return [Neuron(last, index, sign=-1 if text.strip().startswith("-") else 1)]


def preset_of(args: argparse.Namespace) -> Preset | None:
    """Return the preset that ``--preset`` names; `StudioError` if there is none of that name."""
    return None if args.preset is None else UserPresets().find(args.preset)


def settings_of(
    args: argparse.Namespace, preset: Preset | None, pixels: PixelSpec, *, discriminator: bool
) -> Settings:
    """Return the settings that the flags ask for.

    Those of the preset where no flag of their own was given, else defaults. `discriminator` tells
    whether there is one for the images that `pixels` describes.
    """
    given = {name: getattr(args, name) for name in SETTINGS if is_of_chains(name)}
    values = {name: value for name, value in given.items() if value is not None}
    if preset is not None:
        values = preset.values(pixels.shape, discriminator=discriminator) | values
    return Settings.of(**values)


def add_network(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add ``--network``, ``--weights`` and what else may have to be said to open a network."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--network",
        default=default,
        metavar="NAME",
        help=_network_help(),
    )
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="safetensors, or a saved state dict"
    )
    group.add_argument(
        "--partial", action="store_true", help="take weights of which only a part fits"
    )
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="class names, one a line; imagenet for its 1,000",
    )
    group.add_argument(
        "--input-size",
        metavar="CxHxW",
        help="the images that it takes, such as 3x224x224, where nothing else tells",
    )
    for name, what in (("mean", "subtracted from"), ("std", "that divides")):
        group.add_argument(
            f"--{name}", metavar="A,B,C", help=f"what is {what} each channel, with --input-size"
        )
    for name, what in (("minimum", "black; default 0"), ("maximum", "white; default 1")):
        group.add_argument(
            f"--{name}", type=float, metavar="V", help=f"the value that is {what}, in the images"
        )
    group.add_argument(
        "--rest", type=float, metavar="V", help="what L2 pulls towards; default: half-way between"
    )
    group.add_argument(
        "--show-channels",
        metavar="A,B,C",
        help="of more than three, which are shown as red, green and blue (or one as grey), counted "
        "from 0",
    )


def _network_help() -> str:
    *others, own_code = families.FAMILIES
    named = ", ".join(family.usage for family in others)
    return f"{named}, or your own code, which is run: {own_code.usage}"


def network_of(
    args: argparse.Namespace,
    *,
    untrained: bool = False,
    opened: Callable[[str, Path | None, Options], Network] = open_network,
) -> Network:
    """Open the network that the flags name, with the random weights of its making if `untrained`.

    `opened` opens one by its name, weights and options.

    Raises
    ------
    StudioError
        If it cannot be opened, or its input is described in part only.
    """
    given = [args.input_size, args.mean, args.std]
    pixels = None
    if any(value is not None for value in (*given, args.rest, args.minimum, args.maximum)):
        if None in given:
            raise StudioError("--input-size, --mean and --std belong together; give all three.")
        pixels = _pixels_of(args)
    # Not above: the window reads its flags from here, and its start does not wait for bars.
    from ldam_studio.commands.shared.progress import download

    with download(args.network) as on_bytes:
        options = Options(pixels, args.labels, args.partial, untrained, on_bytes)
        network = opened(args.network, args.weights, options)
    if pixels is None and args.show_channels is not None:
        # Said of an input that is known otherwise.
        network.pixels = replace(network.pixels, shown=_channels(args.show_channels))
        network.given_pixels = network.pixels
    return network


def _pixels_of(args: argparse.Namespace) -> PixelSpec:
    try:
        channels, height, width = (int(size) for size in args.input_size.lower().split("x"))
        mean, std = (_numbers(text, channels) for text in (args.mean, args.std))
    except ValueError:
        raise StudioError(
            "--input-size is written as 3x224x224, --mean and --std as numbers with commas, "
            "such as 0.5,0.5,0.5."
        ) from None
    minimum = 0.0 if args.minimum is None else args.minimum
    maximum = 1.0 if args.maximum is None else args.maximum
    rest = (minimum + maximum) / 2 if args.rest is None else args.rest
    shown = () if args.show_channels is None else _channels(args.show_channels)
    return PixelSpec(channels, height, width, mean, std, rest, minimum, maximum, shown)


def _channels(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise StudioError(
            f"--show-channels takes numbers with commas, such as 3,2,1, not {text!r}."
        ) from None


def _numbers(text: str, channels: int) -> tuple[float, ...]:
    """Read one number for all channels or one for each."""
    numbers = tuple(float(part) for part in text.split(","))
    return numbers * channels if len(numbers) == 1 else numbers


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, ``--precision`` and ``--threads``."""
    group = parser.add_argument_group("machine")
    group.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    group.add_argument("--precision", default="auto", metavar="|".join(PRECISIONS))
    group.add_argument(
        "--threads", type=threads, default=1, help="of the processor, or auto to try; default 1"
    )


def device_of(args: argparse.Namespace) -> Device:
    """Return the device that the flags ask for."""
    return choose(args.device, args.precision, args.threads)


def threads(text: str) -> int:
    """Read ``--threads``: a number, or ``auto`` (0) to try what is fastest."""
    return 0 if text == "auto" else _read_whole_number("--threads", 1, 1024, text)


def whole_number(flag: str, minimum: int, maximum: int) -> partial[int]:
    """Return what reads a flag's whole number, or raises `StudioError` in one sentence."""
    return partial(_read_whole_number, flag, minimum, maximum)


def _read_whole_number(flag: str, minimum: int, maximum: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise StudioError(f"{flag} must be a whole number, not {text!r}.") from None
    if not minimum <= number <= maximum:
        raise StudioError(f"{flag} must lie between {minimum} and {maximum}, not {number}.")
    return number
