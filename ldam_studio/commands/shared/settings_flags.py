"""Flags made from the descriptions of the settings, and the settings from these flags."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from ldam_studio.commands.shared.flags import add_preset
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.setting import Setting
from ldam_studio.sampler.settings import SETTINGS, Settings, is_of_chains, parse
from ldam_studio.scripting.request import settings_for

ALIASES = {"discriminator_weight": ("--discriminator",)}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add ``--preset`` and a flag for every setting of the chains; each is None unless given."""
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
    if setting.scale == "curve":
        metavar = "STEP:VALUE,..."
    group.add_argument(
        *flags, dest=name, default=None, type=partial(parse, name), metavar=metavar, help=text
    )


def _shown(value: Any) -> str:
    return f"{value:g}." if isinstance(value, float) else f"{str(value) or 'none'}."


def settings_of(
    args: argparse.Namespace, preset: Preset | None, pixels: PixelSpec, *, discriminator: bool
) -> Settings:
    """Return the settings from the flags.

    A setting whose flag is not given has the preset's value, or else its default. `discriminator`
    says whether there is one for the images that `pixels` describes.
    """
    return settings_for(pixels, preset, given_settings(args), discriminator=discriminator)


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings whose flags are given, by name."""
    named = {name: getattr(args, name) for name in SETTINGS if is_of_chains(name)}
    return {name: value for name, value in named.items() if value is not None}
