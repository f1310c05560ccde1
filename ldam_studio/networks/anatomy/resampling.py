"""How footprints pass through interpolation, and windows that are written out or added up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.networks.anatomy.footprints import NOTHING, Value
from ldam_studio.networks.anatomy.sliding import Rule, each, through


def interpolate(
    x: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Value:
    """Follow interpolation: its weights along each dimension are those of torch itself."""
    linear = "linear" in mode and not antialias
    # The other modes of linear maps need a second dimension, which keeps its size.
    beside = 2 if mode == "bicubic" or antialias else 0
    tables = []
    for number, inputs in enumerate(x.shape[2:]):
        wanted: dict[str, Any] = {}
        for name, given, kept in (("size", size, beside), ("scale_factor", scale_factor, 1.0)):
            if given is not None:
                own = given if isinstance(given, int | float) else given[number]
                wanted[name] = (own, kept) if beside else (own,)
        units = torch.eye(inputs)[:, None]
        weights = functional.interpolate(
            units[..., None].repeat(1, 1, 1, beside) if beside else units,
            **wanted,
            mode="linear" if linear else mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
            antialias=antialias,
        )
        tables.append(_where_not_zero((weights[..., 0] if beside else weights)[:, 0]))
    return through(x, tables)


def im2col(
    x: Value, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Follow `functional.unfold`, which writes out the windows of a convolution."""
    rows, columns = each(padding, 2)
    sides = (columns, columns, rows, rows)
    planes = [functional.pad(plane, sides, value=NOTHING) for plane in x.full]
    return torch.stack([functional.unfold(p, kernel_size, dilation, 0, stride) for p in planes])


def col2im(
    x: Value,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Follow `functional.fold`, which adds windows up."""
    (height, width), (rows, columns) = each(output_size, 2), each(kernel_size, 2)
    (down, right), (top, left) = each(stride, 2), each(padding, 2)
    below, beside = each(dilation, 2)
    high = (height + 2 * top - below * (rows - 1) - 1) // down + 1
    wide = (width + 2 * left - beside * (columns - 1) - 1) // right + 1
    windows = x.full.unflatten(-2, (-1, rows, columns)).unflatten(-1, (high, wide))
    around = (*windows.shape[:-4], height + 2 * top, width + 2 * left)
    canvas = torch.full(around, NOTHING)
    for row in range(rows):
        for column in range(columns):
            y, x_ = row * below, column * beside
            part = canvas[..., y : y + high * down : down, x_ : x_ + wide * right : right]
            part = part[..., :high, :wide]
            part.copy_(torch.minimum(part, windows[..., row, column, :, :]))
    return canvas[..., top : top + height, left : left + width]


def _where_not_zero(weights: Tensor) -> Tensor:
    """Return the table of a linear map, given its weights (inputs, outputs)."""
    used = weights.T != 0
    numbers = torch.where(used, torch.arange(used.shape[1]), -1)
    return numbers.sort(dim=1, descending=True).values[:, : max(1, int(used.sum(1).max()))]


RULES: dict[str, Rule] = {"interpolate": interpolate, "im2col": im2col, "fold": col2im}
