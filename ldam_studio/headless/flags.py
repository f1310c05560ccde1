"""Flags made from the settings' descriptions, and those that every sampling command shares."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from ldam_studio.engine.changes import PLAIN
from ldam_studio.engine.machine import DEVICES, PRECISIONS, Machine, choose
from ldam_studio.errors import StudioError
from ldam_studio.networks.zoo import NETWORKS
from ldam_studio.sampler.settings import SETTINGS, Setting, Settings, parse

ALIASES = {"discriminator_weight": ("--discriminator",)}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting of the chains; what is not given is None."""
    group = parser.add_argument_group("settings")
    for name in PLAIN:
        _add_setting(group, SETTINGS[name])


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


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings that the flags ask for; defaults where none was given."""
    given = {name: getattr(args, name) for name in PLAIN}
    return Settings.of(**{name: value for name, value in given.items() if value is not None})


def add_network(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add ``--network`` and ``--weights``."""
    parser.add_argument("--network", default=default, help=f"one of {', '.join(NETWORKS)}")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights for the network")


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, ``--precision`` and ``--threads``."""
    group = parser.add_argument_group("machine")
    group.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    group.add_argument("--precision", default="auto", metavar="|".join(PRECISIONS))
    group.add_argument(
        "--threads", type=whole_number("--threads", 1, 1024), help="of the processor; default 1"
    )


def machine_of(args: argparse.Namespace) -> Machine:
    """Return the machine that the flags ask for."""
    return choose(args.device, args.precision, args.threads)


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
