"""What a function in a person's code returns: a module, alone or with what describes its input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from torch import nn

from ldam_studio.networks.pixels import PixelSpec

DESCRIBED = frozenset({"channels", "height", "width"})
"""Entries by which a description of an input is known."""


def module_in(made: Any) -> tuple[nn.Module | None, PixelSpec | Mapping[str, Any] | None]:
    """Return the first module in what a function returned, and its input if that is there, too.

    Many functions return (model, transform), (model, transform, tokenizer), or a dictionary. The
    input is that of a `PixelSpec`, a dictionary of its arguments, or torchvision's transforms.
    """
    if isinstance(made, nn.Module):
        return made, None
    if isinstance(made, Mapping):
        parts: list[Any] = list(made.values())
    elif isinstance(made, tuple | list):
        parts = list(made)
    else:
        return None, None
    module = next((part for part in parts if isinstance(part, nn.Module)), None)
    described = [part for part in parts if _is_description(part)]
    if not described and getattr(module, "pixels", None) is None:
        described = [of_transforms(part) for part in parts if part is not module]
    return module, next((pixels for pixels in described if pixels is not None), None)


def _is_description(part: Any) -> bool:
    return isinstance(part, PixelSpec) or (isinstance(part, Mapping) and bool(DESCRIBED & {*part}))


def of_transforms(transforms: Any) -> PixelSpec | None:
    """Return the input that transforms of images make; None if they do not say it.

    They are read, not called: the size to which images are cropped or resized, and the mean and std
    by which they are normalised.
    """
    sides: tuple[Any, ...] = ()
    mean: tuple[Any, ...] = ()
    std: tuple[Any, ...] = ()
    for step in _steps(transforms):
        size = _numbers(getattr(step, "size", None), Integral)
        if len(size) == 1 and "Crop" not in type(step).__name__:
            size = ()  # only the shorter side gets this size
        sides = size or _numbers(getattr(step, "crop_size", None), Integral) or sides
        mean = _numbers(getattr(step, "mean", None), Real) or mean
        std = _numbers(getattr(step, "std", None), Real) or std
    if not sides or not mean or len(mean) != len(std) or min(std) <= 0:
        return None
    height, width = int(sides[0]), int(sides[-1])
    return PixelSpec(len(mean), height, width, tuple(mean), tuple(std), rest=0.5)


def _steps(transforms: Any) -> Iterator[Any]:
    """Yield the single transforms, in order; those of torchvision's presets are one object."""
    inner = getattr(transforms, "transforms", None)
    if isinstance(inner, Iterable):
        for each in inner:
            yield from _steps(each) if hasattr(each, "transforms") else (each,)
    elif hasattr(transforms, "crop_size") and hasattr(transforms, "mean"):
        yield transforms


def _numbers(value: Any, kind: type) -> tuple[Any, ...]:
    if isinstance(value, kind):
        return (value,)
    tolist = getattr(value, "tolist", None)
    found = tolist() if callable(tolist) else value
    if not isinstance(found, tuple | list):
        return (found,) if isinstance(found, kind) else ()
    return tuple(found) if all(isinstance(each, kind) for each in found) else ()
