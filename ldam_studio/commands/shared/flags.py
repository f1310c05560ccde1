"""The flags that several commands share: network, preset, device, data, output."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ldam_studio.engine.compute.device import DEVICES, PRECISIONS, Device
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import IMAGENET_MEAN, IMAGENET_STD, PixelSpec
from ldam_studio.networks.sources import families
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.choice import WeightsChoice
from ldam_studio.sampler.presets import PRESETS, Preset
from ldam_studio.scripting.request import device_for
from ldam_studio.user_presets import UserPresets

MOST_THREADS = 1024


def add_preset(parser: argparse._ActionsContainer) -> None:
    """Add ``--preset``."""
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"a set of settings: {', '.join(PRESETS)}, or one that you saved in the window",
    )


def preset_of(args: argparse.Namespace) -> Preset | None:
    """Return the preset that ``--preset`` names; `StudioError` if there is none with this name."""
    return None if args.preset is None else UserPresets().find(args.preset)


def add_network(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add ``--network``, ``--weights`` and the flags that describe the network's input."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--network",
        default=default,
        metavar="NAME",
        help=_network_help(),
    )
    group.add_argument(
        "--weights",
        type=WeightsChoice.parse,
        metavar="FILE[::KEY]",
        help="safetensors or what torch.save wrote; KEY names one of several sets of weights in "
        "it, for example teacher. random or random:SEED draws random weights",
    )
    group.add_argument(
        "--partial", action="store_true", help="accept weights that fit only in part"
    )
    group.add_argument(
        "--steady",
        action="store_true",
        help="leave out the dropout of a network that draws random numbers when it is run; its "
        "other random numbers are the same in every step",
    )
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="class names, one per line, or imagenet for ImageNet's 1,000 names",
    )
    group.add_argument(
        "--class-layer",
        metavar="LAYER",
        help="the layer whose neurons are the classes; default: the output with as many neurons as "
        "there are labels, else the first one",
    )
    group.add_argument(
        "--input-size",
        metavar="CxHxW",
        help="size of its images, for example 3x224x224; needed if it is not known",
    )
    for name, what in (("mean", "subtracted from"), ("std", "that divide")):
        group.add_argument(
            f"--{name}",
            metavar="A,B,C",
            help=f"the values {what} each channel, with --input-size; imagenet for ImageNet's",
        )
    for name, what in (("minimum", "black; default 0"), ("maximum", "white; default 1")):
        group.add_argument(f"--{name}", type=float, metavar="V", help=f"pixel value of {what}")
    group.add_argument(
        "--rest",
        type=float,
        metavar="V",
        help="pixel value towards which L2 pulls; default: half-way between black and white",
    )
    group.add_argument(
        "--show-channels",
        metavar="A,B,C",
        help="for images of more than three channels: those shown as red, green and blue, or one "
        "shown as grey, counted from 0",
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
    """Open the network that the flags name.

    Parameters
    ----------
    untrained
        Keep the random initial weights.
    opened
        Opens a network by its name, weights and options.

    Raises
    ------
    StudioError
        If it cannot be opened, or its input is only partly described.
    """
    given = [args.input_size, args.mean, args.std]
    pixels = None
    if any(value is not None for value in (*given, args.rest, args.minimum, args.maximum)):
        if None in given:
            raise StudioError("--input-size, --mean and --std belong together; give all three.")
        pixels = _pixels_of(args)
    # Imported late, so that the window, which also uses these flags, starts without loading rich.
    from ldam_studio.commands.shared.progress import download

    with download(args.network) as on_bytes:
        weights = args.weights or WeightsChoice()
        options = Options(
            pixels,
            args.labels,
            args.partial,
            untrained,
            args.steady,
            on_bytes=on_bytes,
            class_layer=args.class_layer,
            weights_key=weights.key,
            random_seed=weights.seed,
        )
        network = opened(args.network, weights.file, options)
    if pixels is None and args.show_channels is not None:
        # Everything else about the input is already known.
        network.pixels = replace(network.pixels, shown=_channels(args.show_channels))
        network.provenance = replace(network.provenance, given_pixels=network.pixels)
    return network


def _pixels_of(args: argparse.Namespace) -> PixelSpec:
    try:
        channels, height, width = (int(size) for size in args.input_size.lower().split("x"))
        minimum = 0.0 if args.minimum is None else args.minimum
        maximum = 1.0 if args.maximum is None else args.maximum
        span = maximum - minimum
        mean = _numbers(args.mean, channels, [minimum + span * value for value in IMAGENET_MEAN])
        std = _numbers(args.std, channels, [span * value for value in IMAGENET_STD])
    except ValueError:
        raise StudioError(
            "--input-size must be written like 3x224x224, --mean and --std as numbers with commas "
            "like 0.5,0.5,0.5, or imagenet for the numbers of ImageNet's three channels."
        ) from None
    rest = (minimum + maximum) / 2 if args.rest is None else args.rest
    shown = () if args.show_channels is None else _channels(args.show_channels)
    return PixelSpec(channels, height, width, mean, std, rest, minimum, maximum, shown)


def _channels(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise StudioError(
            f"--show-channels takes numbers with commas, for example 3,2,1, not {text!r}."
        ) from None


def _numbers(text: str, channels: int, imagenet: Sequence[float]) -> tuple[float, ...]:
    """Read one number for all channels, or one for each; ``imagenet`` stands for those of it."""
    if text.strip().lower() == "imagenet":
        if channels != len(imagenet):
            raise ValueError
        return tuple(imagenet)
    numbers = tuple(float(part) for part in text.split(","))
    return numbers * channels if len(numbers) == 1 else numbers


def add_device(
    parser: argparse.ArgumentParser, *, reproducible: bool = False, default_threads: int = 1
) -> None:
    """Add ``--device``, ``--precision`` and ``--threads``.

    Parameters
    ----------
    reproducible
        Leave out ``--precision`` and automatic threads: results are in float32, and do not depend
        on a measurement of the device's speed.
    default_threads
        Default of ``--threads``; 0 measures which number is fastest.
    """
    group = parser.add_argument_group("device")
    group.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    if reproducible:
        parser.set_defaults(precision="float32")
    else:
        group.add_argument(
            "--precision",
            default="auto",
            metavar="|".join(PRECISIONS),
            help="of network and gradient; auto measures what is fastest and changes no gradient, "
            "float32 measures nothing",
        )
    choice, default = "", "auto" if default_threads == 0 else str(default_threads)
    if not reproducible:
        choice = ", or auto to use the fastest"
    group.add_argument(
        "--threads",
        type=whole_number("--threads", 1, MOST_THREADS) if reproducible else threads,
        default=default_threads,
        metavar="N",
        help=f"number of processor threads{choice}; default {default}",
    )


def device_of(args: argparse.Namespace) -> Device:
    """Return the device that the flags describe."""
    return device_for(args.device, args.precision, args.threads)


def add_data(
    parser: argparse.ArgumentParser, what: str, fetched: str = "it", *, several: bool = False
) -> None:
    """Add ``--data``, whose help is ``what``, and ``--download``, which downloads ``fetched``.

    With ``several``, ``--data`` may be given more than once, and its value is a list.
    """
    action = "append" if several else "store"
    parser.add_argument("--data", type=Path, action=action, metavar="DIR", help=what)
    parser.add_argument(
        "--download", action="store_true", help=f"download {fetched} if it is missing"
    )


def add_out(parser: argparse._ActionsContainer, default: str, what: str = "output folder") -> None:
    """Add ``--out``, the output folder."""
    parser.add_argument(
        "--out", type=Path, default=Path(default), metavar="DIR", help=f"{what}; default {default}"
    )


def add_seed(parser: argparse._ActionsContainer, default: int = 0, most: int = 2**63 - 1) -> None:
    """Add ``--seed``, a number from 0 to ``most``."""
    parser.add_argument(
        "--seed",
        type=whole_number("--seed", 0, most),
        default=default,
        metavar="N",
        help=f"seed of all random numbers; default {default}",
    )


def threads(text: str) -> int:
    """Read ``--threads``: a number, or ``auto`` (0) to use the fastest."""
    return 0 if text == "auto" else _read_whole_number("--threads", 1, MOST_THREADS, text)


def whole_number(flag: str, minimum: int, maximum: int) -> partial[int]:
    """Return a function that reads a flag's whole number or raises `StudioError`."""
    return partial(_read_whole_number, flag, minimum, maximum)


def _read_whole_number(flag: str, minimum: int, maximum: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise StudioError(f"{flag} must be a whole number, not {text!r}.") from None
    if not minimum <= number <= maximum:
        raise StudioError(f"{flag} must lie between {minimum} and {maximum}, not {number}.")
    return number
