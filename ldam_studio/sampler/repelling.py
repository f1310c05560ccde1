"""Kept pictures that chains are pushed away from, as the term *repulsion* uses them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Repelling:
    """The directions of kept pictures, seen from the rest colour.

    Attributes
    ----------
    directions
        One for each picture, (pictures, C, H, W), of length 1 or 0; see `directions_of`.
    near
        1 where a chain is pushed away from a picture, otherwise 0, (chains, pictures).
    rest
        The rest colour from which the pictures are seen.
    window
        1 inside the receptive field of each chain's neuron, otherwise 0, (chains or 1, 1, H, W);
        None if all of them see the whole image.
    """

    directions: Tensor
    near: Tensor
    rest: float | Tensor = 0.0
    window: Tensor | None = None


def directions_of(pictures: Tensor, rest: float | Tensor, window: Tensor | None = None) -> Tensor:
    """Return what is characteristic of each picture, as a direction of length 1.

    The mean of each channel is removed, so that an image which is only brighter does not count as
    similar. A picture without any contrast has the direction 0, which pushes nothing away.

    Parameters
    ----------
    pictures
        Shape (pictures, C, H, W), in pixel units.
    window
        1 inside each picture's receptive field, otherwise 0, (pictures, 1, H, W); None for the
        whole image.
    """
    seen = torch.ones_like(pictures[:, :1]) if window is None else window.to(pictures)
    shapes = (pictures - rest) * seen
    shapes = shapes - shapes.sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True) * seen
    length = torch.linalg.vector_norm(shapes, dim=(1, 2, 3), keepdim=True)
    flat = length <= 1e-6 * shapes[0].numel() ** 0.5
    return torch.where(flat, 0.0, shapes / length.clamp_min(1e-30))
