"""Fixed random projections: a few numbers for each image that tell different images apart.

Half of the directions are white noise, the other half smooth noise. Averages of different images
differ at large scales, where the noise of a chain has the least power, so that smooth directions
show a difference long before white ones do. A neuron that sees a part of the image has directions
within that part alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ldam_studio.networks.anatomy.fields import Box

PROJECTIONS = 16
PROJECTION_SEED = 20_180_417
"""Seed of the directions; no other random number depends on it."""

CELLS = 4  # smooth noise has as many independent values along each side


class Projections:
    """The directions for images of each shape, made when they are first needed."""

    def __init__(self) -> None:
        self._directions: dict[tuple[tuple[int, ...], torch.device], Tensor] = {}

    def of(self, x: Tensor, fields: Sequence[Box | None]) -> Tensor:
        """Return the projections of images x (chains, C, H, W), (chains, `PROJECTIONS`).

        `fields` has the part of each image (top, left, bottom, right) that is projected, None for
        the whole image.
        """
        if len(set(fields)) == 1:
            return self._part(x, fields[0])
        out = x.new_empty((len(x), PROJECTIONS))
        for field in dict.fromkeys(fields):
            chosen = [i for i, each in enumerate(fields) if each == field]
            out[chosen] = self._part(x[chosen], field)
        return out

    def _part(self, x: Tensor, field: Box | None) -> Tensor:
        if field is not None:
            top, left, bottom, right = field
            x = x[:, :, top:bottom, left:right]
        key = (tuple(x.shape[1:]), x.device)
        if key not in self._directions:
            if len(self._directions) >= 8:  # shapes of former layers
                self._directions.clear()
            self._directions[key] = directions(key[0]).to(x.device)
        projected: Tensor = x.reshape(len(x), -1).float() @ self._directions[key]
        return projected


def directions(shape: Sequence[int]) -> Tensor:
    """Return `PROJECTIONS` directions of length 1 for images (C, H, W): (C H W, `PROJECTIONS`)."""
    generator = torch.Generator().manual_seed(PROJECTION_SEED)
    channels, height, width = shape
    half = PROJECTIONS // 2
    white = torch.randn((half, channels, height, width), generator=generator)
    cells = (min(CELLS, height), min(CELLS, width))
    coarse = torch.randn((half, channels, *cells), generator=generator)
    smooth = interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    found = torch.cat([white, smooth]).flatten(1)
    scaled: Tensor = found / found.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return scaled.T.contiguous()
