"""Images at places between their pixels, interpolated (bilinear)."""

from __future__ import annotations

import torch
from torch import Tensor


def sampled(x: Tensor, places: Tensor) -> Tensor:
    """Return x (chains, C, H, W) at `places`, interpolated; 0 outside the image.

    `places` is (chains, h, w, 2) or, for the same places in all chains, (1, h, w, 2): row and
    column, counted from 0. The result is (chains, C, h, w).
    """
    return _by_grid(x, places) if x.device.type == "cpu" else _by_index(x, places)


def _by_grid(x: Tensor, places: Tensor) -> Tensor:
    size = torch.tensor(x.shape[2:], device=x.device)
    grid = ((2 * places + 1) / size - 1).flip(-1).to(x.dtype)
    # Images with the same places are sampled as the channels of one image: positions and shares are
    # then computed once for all of them.
    seen = x.flatten(0, 1)[None] if len(grid) == 1 else x
    shown: Tensor = torch.nn.functional.grid_sample(seen, grid, align_corners=False)
    return shown.reshape(*x.shape[:2], *places.shape[1:3])


def _by_index(x: Tensor, places: Tensor) -> Tensor:
    """Compute the same as `_by_grid` for accelerators.

    On CUDA the gradient of `grid_sample` is summed in no fixed order, so that replay would not be
    exact; the gradient of indexing has a fixed order. MPS does not support the former at all.
    """
    height, width = x.shape[2:]
    corner = places.floor()
    further = (places - corner).to(x.dtype)
    chain = torch.arange(len(x), device=x.device)[:, None, None]
    shown: Tensor = x.new_zeros(())
    for down in (0, 1):
        for right in (0, 1):
            row, column = (corner[..., 0] + down).long(), (corner[..., 1] + right).long()
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            share = (further[..., 0] if down else 1 - further[..., 0]) * inside
            share = share * (further[..., 1] if right else 1 - further[..., 1])
            # Outside the image the share is 0, so that any pixel will do.
            taken = x[chain, :, row % height, column % width]
            shown = shown + taken.movedim(-1, 1) * share[:, None]
    return shown
