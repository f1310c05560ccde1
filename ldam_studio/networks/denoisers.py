"""The denoisers that ship with the program: learned priors of photographs.

To add one, put its weights and card into `models/` and add its row to `DENOISERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from ldam_studio.assets import asset
from ldam_studio.networks.discriminators import ImageSizes
from ldam_studio.networks.models.denoiser import Denoiser
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.weights.suffixes import SAFETENSORS
from ldam_studio.networks.weights.weights import load_into, read_saved

PHOTO_DENOISER, CIFAR_DENOISER = "denoiser", "cifar10-denoiser"

DENOISERS = {
    PHOTO_DENOISER: ImageSizes(3, (64, 64), None),
    CIFAR_DENOISER: ImageSizes(3, (24, 24), None),
}
"""The images on which each denoiser is used, by name. A network gets the first one whose row
includes its images. Small images show whole objects, as CIFAR-10's do, and not a part of a larger
photograph; still smaller ones have too little of either."""


def denoiser_for(pixels: PixelSpec) -> str | None:
    """Return the name of the denoiser for a network's images; None if there is none."""
    return next((name for name, images in DENOISERS.items() if images.include(pixels)), None)


@dataclass(frozen=True)
class DenoiserModel:
    """A trained denoiser, frozen, in evaluation mode; `sha256` is that of its weights file."""

    module: nn.Module
    sha256: str

    def __call__(self, pixels: Tensor, noise: Tensor) -> Tensor:
        """Return the mean of the clean images, see `networks.models.denoiser.Denoiser`."""
        denoised: Tensor = self.module(pixels, noise)
        return denoised


@cache
def open_denoiser(name: str = PHOTO_DENOISER, device: str = "cpu") -> DenoiserModel:
    """Open a shipped denoiser on a device; it is read once.

    Raises
    ------
    StudioError
        If its weights are missing or damaged.
    """
    path = asset("models", f"{name}{SAFETENSORS}")
    saved, sha256 = read_saved(path)
    module = Denoiser()
    load_into(module, saved, path)
    return DenoiserModel(prepare(module).to(torch.device(device)), sha256)
