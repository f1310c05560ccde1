"""Shared parts of the figures for photographs: flags, settings, discriminator, pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.figure import add_count, add_output, row_of_pictures
from ldam_studio.engine.picture import Bytes
from ldam_studio.export.sheet import ZOOM
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.settings import Settings

NETWORK, PRESET = "torchvision:alexnet", "paper"
SHOWN_SIDE = 224
"""Pictures are enlarged as long as their longer side has at most this many pixels."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the flags for network, discriminator, preset, steps, output and device."""
    flags.add_network(parser, NETWORK)
    parser.add_argument("--discriminator-weights", type=Path, metavar="FILE")
    flags.add_preset(parser)
    parser.set_defaults(preset=PRESET)
    add_count(parser, "--steps", 0, 200, "steps before frames are averaged")
    add_count(parser, "--window", 1, 200, "number of frames that are averaged, 200 in the paper")
    add_output(parser)
    flags.add_device(parser, reproducible=True)
    parser.epilog = f"Without --network and --preset: {NETWORK}, with the preset {PRESET!r}."


def preset_of(args: argparse.Namespace) -> Preset:
    """Return the preset that ``--preset`` names; `StudioError` if there is none with this name."""
    preset = flags.preset_of(args)
    assert preset is not None
    return preset


def settings_of(
    args: argparse.Namespace, preset: Preset, pixels: PixelSpec, discriminator_weight: float
) -> Settings:
    """Return a preset's settings, averaging over the window and at this discriminator weight."""
    values = preset.values(pixels.shape, discriminator=True)
    own = {
        "discriminator_weight": discriminator_weight,
        "window": args.window,
        "thin": 1,
        "burn_in": args.steps,
        # A fixed threshold avoids measuring one, which a fixed burn-in does not need.
        "threshold": 0.0,
    }
    return Settings.of(**{**values, **own})


def short_name(network: Network) -> str:
    """Return the network's name without the prefix of its family."""
    return network.name.rpartition(":")[2]


def pictures(images: Tensor, pixels: PixelSpec, settings: Settings) -> list[Bytes]:
    """Return images (n, C, H, W) in their own colours if clamped, else as signed differences."""
    return row_of_pictures(images, pixels, "image" if settings.clamp else "signed")


def zoom_for(pixels: PixelSpec) -> int:
    """Return the factor by which a network's pictures are enlarged."""
    return max(1, min(ZOOM, SHOWN_SIDE // max(pixels.height, pixels.width)))
