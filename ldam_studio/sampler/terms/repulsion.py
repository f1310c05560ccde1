"""Repulsion: chains are pushed away from pictures that were kept, such as modes found before."""

from __future__ import annotations

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.repelling import Repelling
from ldam_studio.sampler.terms.term import Term

FAINT = 0.1
"""Images of a lower contrast than this (root-mean-square in pixel units) have no clear direction,
and count as less similar to anything."""


class Repulsion(Term):
    """-rho (n / 2) sum_k max(0, c_k)^2 with the cosines c_k between an image and kept pictures.

    n is the number of pixel values that the neuron sees, so that a weight pushes each pixel as hard
    on a large image as on a small one. With u = x - r inside the receptive field, the rest colour r
    and the direction p of a picture (see `sampler.repelling`), c = u.p / l, where
    l^2 = |u|^2 + n FAINT^2; its gradient is (p - c u / l) / l. Images that are unlike a picture, or
    its negative, are not pushed. An addition of this program, in the role of the term
    "dissimilarity" in the paper's own.
    """

    name = "repulsion"
    setting = "repulsion"

    def factor(self, weight: Tensor) -> Tensor:
        """Return -rho."""
        return -weight

    def is_in(self, density: Density) -> bool:
        """Return whether there are kept pictures; without them the term is 0."""
        return density.repelling is not None

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return n / 2 times the sum of the squares of the positive cosines."""
        if density.repelling is None:
            return torch.zeros_like(x[:, 0, 0, 0])
        _, cosines, _, count = _seen(x, density, density.repelling)
        return cosines.square().sum(1) * count / 2

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return the gradient of `value`, which is 0 outside the receptive field."""
        if density.repelling is None:
            return torch.zeros_like(x)
        repelling = density.repelling
        shape, cosines, length, count = _seen(x, density, repelling)
        towards = (cosines @ repelling.directions.to(x).flatten(1)).reshape(x.shape)
        if repelling.window is not None:
            towards = towards * repelling.window.to(x)
        inwards = (cosines.square().sum(1) / length).reshape(-1, 1, 1, 1)
        pace = (torch.as_tensor(count, device=x.device) / length).reshape(-1, 1, 1, 1)
        return (towards - inwards * shape) * pace


def _seen(
    x: Tensor, density: Density, repelling: Repelling
) -> tuple[Tensor, Tensor, Tensor, int | Tensor]:
    """Return u, the positive cosines (chains, pictures), the lengths l (chains,), and n."""
    shape = x - repelling.rest
    if repelling.window is not None:
        shape = shape * repelling.window.to(x)
    count = x[0].numel() if density.field_size is None else density.field_size
    length = (shape.square().flatten(1).sum(1) + count * FAINT**2).sqrt()
    dots = shape.flatten(1) @ repelling.directions.to(x).flatten(1).T
    cosines = (dots / length[:, None]).clamp_min(0.0) * repelling.near.to(x)
    return shape, cosines, length, count
