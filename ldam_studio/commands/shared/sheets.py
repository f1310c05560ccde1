"""Shared parts of the commands that draw many neurons, each in a session of its own."""

from __future__ import annotations

import argparse
import re

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.settings_flags import given_settings, settings_of
from ldam_studio.engine.suiting import are_classes
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import CHAINS, MOST_CHAINS_EACH, STEPS, fitting
from ldam_studio.networks.discriminators import discriminator_for
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import MOST, Neuron
from ldam_studio.sampler.presets import Preset, find_preset
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.stability import check_stable

MOST_STEPS = 1_000_000
PRESET = "clean"
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def add_length(parser: argparse.ArgumentParser) -> None:
    """Add ``--chains`` and ``--steps``, of each neuron."""
    parser.add_argument(
        "--chains",
        type=flags.whole_number("--chains", 1, MOST_CHAINS_EACH),
        default=CHAINS,
        metavar="N",
        help="chains of each neuron, of which the one of the highest activation is shown; "
        f"default {CHAINS}",
    )
    parser.add_argument(
        "--steps",
        type=flags.whole_number("--steps", 1, MOST_STEPS),
        default=STEPS,
        metavar="N",
        help="steps of each neuron, at most; a picture that has converged needs fewer. "
        f"Default {STEPS}",
    )


def preset_of(args: argparse.Namespace) -> Preset:
    """Return the preset that ``--preset`` names, else the usual one for many neurons."""
    return flags.preset_of(args) or find_preset(PRESET)


def fitted_settings(
    args: argparse.Namespace, network: Network, neurons: tuple[Neuron, ...]
) -> Settings:
    """Return the settings from the flags, suited to neurons of one layer.

    What is given by a flag is kept as it is given.

    Raises
    ------
    StudioError
        If there is no such preset, or steps would not be stable.
    """
    judged = are_classes(network, neurons) and discriminator_for(network) is not None
    settings = settings_of(args, preset_of(args), network.pixels, discriminator=judged)
    settings = fitting(network, neurons, settings)
    settings = settings.with_values(given_settings(args))
    check_stable(settings, network.pixels.shape)
    return settings


def numbers_in(text: str) -> list[int] | None:
    """Return the numbers and ranges that a text lists, as ``0-9,17``; None if it has others, too.

    Raises
    ------
    StudioError
        If a range is reversed or too long.
    """
    parts = [_RANGE.fullmatch(part.strip()) for part in text.split(",")]
    if not all(parts):
        return None
    return [number for part in filter(None, parts) for number in _range(part)]


def _range(found: re.Match[str]) -> range:
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise StudioError(f"The range {found[0]} is reversed; write the smaller number first.")
    if last - first >= MOST:
        raise StudioError(f"The range {found[0]} is too long; at most {MOST:,} are possible.")
    return range(first, last + 1)
