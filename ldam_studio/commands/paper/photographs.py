"""What the figures of networks for photographs share: flags, settings, neurons, discriminator."""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Tensor

from ldam_studio.commands.paper.flags import add_device, add_output
from ldam_studio.commands.shared import flags
from ldam_studio.engine.picture import to_bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import ZOOM, Bytes
from ldam_studio.networks.discriminators import (
    DiscriminatorModel,
    discriminator_for,
    open_discriminator,
)
from ldam_studio.networks.network import Network, PixelSpec
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.settings import Settings

NETWORK, PRESET = "torchvision:alexnet", "paper"
MOST = 1_000_000
SHOWN_SIDE = 224
"""Pixels of a picture's side up to which it is enlarged."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """Declare network, classes, preset, steps, folder, seed and machine."""
    flags.add_network(parser, NETWORK)
    parser.add_argument("--discriminator-weights", type=Path, metavar="FILE")
    flags.add_preset(parser)
    parser.set_defaults(preset=PRESET)
    parser.add_argument(
        "--steps",
        type=flags.whole_number("--steps", 0, MOST),
        default=200,
        metavar="N",
        help="before frames are averaged; default 200",
    )
    parser.add_argument(
        "--window",
        type=flags.whole_number("--window", 1, MOST),
        default=200,
        metavar="N",
        help="frames that are averaged, after those steps; default 200, as in the paper",
    )
    add_output(parser)
    add_device(parser)
    parser.epilog = f"Without --network and --preset: {NETWORK}, with the preset {PRESET!r}."


def preset_of(args: argparse.Namespace) -> Preset:
    """Return the preset that is asked for; `StudioError` if there is none of that name."""
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
        # With a fixed burn-in nobody asks for it, and measuring it would cost.
        "threshold": 0.0,
    }
    return Settings.of(**{**values, **own})


def realness_for(network: Network, weights: Path | None, otherwise: str) -> DiscriminatorModel:
    """Open the shipped discriminator of a network's images, or that with other `weights`.

    Raises
    ------
    StudioError
        If there is none; `otherwise` says what to do then.
    """
    name = discriminator_for(network)
    if name is None:
        raise StudioError(f"There is no discriminator for {network.name}; {otherwise}.")
    return open_discriminator(name, weights)


def short_name(network: Network) -> str:
    """Return the network's name without where it comes from."""
    return network.name.rpartition(":")[2]


def picture(image: Tensor, pixels: PixelSpec, settings: Settings) -> Bytes:
    """Return an image (C, H, W) as it is printed: as it is where pixels are clamped."""
    return to_bytes(image.cpu().numpy(), pixels, "image" if settings.clamp else "signed")


def zoom_for(pixels: PixelSpec) -> int:
    """Return how many times as large a network's pictures are printed."""
    return max(1, min(ZOOM, SHOWN_SIDE // max(pixels.height, pixels.width)))
