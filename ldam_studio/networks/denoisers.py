"""The denoiser that ships with the program: the learned prior of photographs."""

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

NAME = "denoiser"
LEAST_SIDE = 64
IMAGES = ImageSizes(3, (LEAST_SIDE, LEAST_SIDE), None)
"""The images on which it is used: smaller ones have too little of what photographs have."""


def takes(pixels: PixelSpec) -> bool:
    """Return whether the denoiser is used on the images that a network takes."""
    return IMAGES.include(pixels)


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
def open_denoiser(device: str = "cpu") -> DenoiserModel:
    """Open the shipped denoiser on a device; it is read once.

    Raises
    ------
    StudioError
        If its weights are missing or damaged.
    """
    path = asset("models", f"{NAME}{SAFETENSORS}")
    saved, sha256 = read_saved(path)
    module = Denoiser()
    load_into(module, saved, path)
    return DenoiserModel(prepare(module).to(torch.device(device)), sha256)
