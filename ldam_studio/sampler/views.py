r"""Views: the network sees the image shifted, zoomed, rotated, mirrored or smaller at random.

In each step k views V_1, ..., V_k are drawn, and the activation a(x) is replaced by its mean over
them, with the gradient

    (1/k) sum_i V_i^T grad a(V_i x)

A view is a linear map of the image's deviation from the rest colour, so V^T is exact: it is the
gradient with respect to the image itself. This is an unbiased estimate of the gradient of the
expected activation E a(V x). The chain is therefore one of stochastic gradient Langevin dynamics in
the literal sense (Welling and Teh 2011): for small steps it samples exp of the expected log-density
over views. More views per step make the estimate less noisy. (Expectation over transformations:
Athalye et al., "Synthesizing Robust Adversarial Examples", 2018; jitter in pictures of neurons:
Mordvintsev, Olah and Tyka 2015.) The other terms of the log-density see the image itself.

A view first reduces the image to a smaller size, if sizes vary, then mirrors, zooms and rotates it
about the centre of the neuron's receptive field, and then shifts it. Pixels between the image's own
are interpolated (bilinear), and what comes in from outside the image has the rest colour.

Views that suit a whole image smear the small patterns of early layers. They can be made to suit the
receptive field instead: see the setting `views_of`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.sampler.interpolation import sampled
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.resize import resized
from ldam_studio.sampler.settings import Settings

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are exclusive."""

STEP = 32
"""Pixels between the sizes at which views show images."""
LEAST_SHARE = 1 / 3
"""The share of the image's side that a field has at least for views that are more than a shift, if
views suit the field."""


@dataclass(frozen=True)
class View:
    """One view of the images; the default shows them unchanged.

    Attributes
    ----------
    shift
        Number of rows down and columns to the right by which the network sees the images shifted.
    zoom
        The factor by which their contents are enlarged.
    angle
        The angle by which they are turned, in radians, clockwise.
    mirrored
        Whether left and right are exchanged.
    size
        The size (height, width) to which they are reduced before; None for their own.
    """

    shift: tuple[int, int] = (0, 0)
    zoom: float = 1.0
    angle: float = 0.0
    mirrored: bool = False
    size: tuple[int, int] | None = None

    @property
    def warps(self) -> bool:
        """Whether it is more than a shift."""
        return self.zoom != 1 or self.angle != 0 or self.mirrored


def sources_of_views(settings: Settings) -> tuple[str, ...]:
    """Return the names of the random sources from which `draw_views` draws with these settings.

    Each view has its own, so that the number of views does not change any of them.
    """
    jitter = [_jitter(number) for number in range(settings.views) if settings.jitter]
    others = [_others(number) for number in range(settings.views) if _varies(settings)]
    sizes = [_size(number) for number in range(settings.views) if settings.view_size < 1]
    return (*jitter, *others, *sizes)


def sides_of_views(settings: Settings, side: int) -> tuple[int, ...]:
    """Return the sides at which views show images whose shorter side has `side` pixels.

    They are the multiples of `STEP` from the setting's share of `side` to `side`; none if views
    keep the size.
    """
    if settings.view_size >= 1:
        return ()
    least = math.ceil(settings.view_size * side / STEP)
    return tuple(STEP * number for number in range(max(1, least), side // STEP + 1))


def share_seen(fields: Sequence[Box | None], size: tuple[int, int]) -> float:
    """Return the share of the image's side that the largest receptive field has.

    Parameters
    ----------
    fields
        The receptive fields of the chains' neurons; None for the whole image.
    size
        The images' size (height, width).
    """
    # The longer side in proportion: fields at the border are cut off.
    sides = ((0, 0, *size) if field is None else field for field in fields)
    return max(
        max((bottom - top) / size[0], (right - left) / size[1])
        for top, left, bottom, right in sides
    )


def reach_of(settings: Settings, size: tuple[int, int], full: int, share: float = 1.0) -> int:
    """Return how far views shift images of `size`, in pixels; parameters as in `draw_views`."""
    jitter = settings.jitter * min(size) / full
    if settings.views_of == "field":
        jitter *= share
    return min(round(jitter), size[0] - 1, size[1] - 1)


def more_than_shifts(settings: Settings, share: float = 1.0) -> bool:
    """Return whether views of neurons that see a `share` of the image's side may `View.warps`."""
    return (share >= LEAST_SHARE or settings.views_of == "image") and _varies(settings)


def draw_views(
    settings: Settings,
    size: tuple[int, int],
    generators: Generators,
    sizes: Sequence[tuple[int, int]] = (),
    full: int | None = None,
    share: float = 1.0,
) -> tuple[View, ...]:
    """Draw the views of one step for images of `size` = (H, W).

    A part of the image always stays visible. If nothing varies, a single unchanged view is
    returned.

    Parameters
    ----------
    sizes
        The sizes from which each view draws its own; empty if views keep the size.
    full
        The shorter side of the images that the jitter is meant for; views of other sizes are
        shifted in proportion. None for that of these images.
    share
        The share of the image's side that the neurons see, for views that suit their fields.
    """
    varies, full = more_than_shifts(settings, share), full or min(size)
    if not varies and not sizes and not reach_of(settings, size, full, share):
        return (View(),)
    views = []
    for number in range(settings.views):
        view = View()
        if sizes:
            drawn = torch.rand(1, generator=generators[_size(number)]).item()
            found = sizes[int(drawn * len(sizes))]
            view = View(size=None if found == size else found)
        if varies:
            # Three numbers are always drawn, so that no setting changes the numbers of the others.
            zoom, angle, mirror = torch.rand(3, generator=generators[_others(number)]).tolist()
            view = replace(
                view,
                zoom=settings.view_zoom ** (2 * zoom - 1),
                angle=math.radians(settings.view_rotation) * (2 * angle - 1),
                mirrored=settings.view_flip and mirror < 0.5,
            )
        reach = reach_of(settings, view.size or size, full, share)
        if reach:
            generator = generators[_jitter(number)]
            down, right = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
            view = replace(view, shift=(down, right))
        views.append(view)
    return tuple(views)


def _jitter(number: int) -> str:
    return f"jitter/{number}" if number else "jitter"  # the first one's name in version 0.1.0


def _others(number: int) -> str:
    return f"views/{number}"


def _size(number: int) -> str:
    return f"size/{number}"


def _varies(settings: Settings) -> bool:
    return settings.view_zoom > 1 or settings.view_rotation > 0 or settings.view_flip


def seen_in(
    view: View,
    fields: Sequence[Box | None],
    like: Tensor,
    rest: float,
    box: Box | None = None,
    arithmetic: int = 1,
) -> Callable[[Tensor], Tensor]:
    """Return the differentiable function that shows images in a view.

    Parameters
    ----------
    fields
        The receptive field of each chain's neuron; None for the whole image.
    like
        Images (chains, C, H, W) with the size and device of those that will be shown.
    rest
        The colour outside the image.
    box
        The part that is computed; None for the whole image. A view that changes the size has none.
    arithmetic
        That of `kernels.Parameters`.
    """
    if view.size is not None:
        small = like.new_empty(()).expand(*like.shape[:2], *view.size)
        after = seen_in(replace(view, size=None), fields, small, rest, box, arithmetic)
        size = view.size
        return lambda x: after(resized(x, size))
    height, width = like.shape[2:]
    top, left, bottom, right = box or (0, 0, height, width)
    if not view.warps:
        down, aside = view.shift

        def shifted(x: Tensor) -> Tensor:
            # Negative padding removes the rows and columns that leave the image.
            moved = torch.nn.functional.pad(x, (aside, -aside, down, -down), value=rest)
            return moved if box is None else moved[:, :, top:bottom, left:right]

        return shifted
    whole = (0, 0, height, width)
    centres = [_centre(field or whole) for field in fields]
    if len(set(centres)) == 1:
        centres = centres[:1]
    rows = torch.arange(top, bottom, device=like.device)[:, None]
    columns = torch.arange(left, right, device=like.device)
    places = _places(view, torch.tensor(centres, device=like.device), rows, columns)
    if view.mirrored and arithmetic > 1:
        # Sampling from right to left takes nearly twice the time.
        row, column = places.unbind(-1)
        reflected = torch.stack((row, width - 1 - column), -1)
        return lambda x: sampled((x - rest).flip(3), reflected) + rest
    return lambda x: sampled(x - rest, places) + rest


def _centre(box: Box) -> tuple[float, float]:
    top, left, bottom, right = box
    return (top + bottom - 1) / 2, (left + right - 1) / 2


def _places(view: View, centres: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the position in the image of each pixel of a view, (n, h, w, 2): row and column.

    `centres` is (n, 2), `rows` (h, 1), `columns` (w,).
    """
    middle_row, middle_column = centres[:, 0, None, None], centres[:, 1, None, None]
    down = rows - view.shift[0] - middle_row
    right = columns - view.shift[1] - middle_column
    cosine, sine = math.cos(view.angle) / view.zoom, math.sin(view.angle) / view.zoom
    mirror = -1 if view.mirrored else 1
    row = middle_row + cosine * down - sine * right
    column = middle_column + mirror * (sine * down + cosine * right)
    return torch.stack((row, column), -1)
