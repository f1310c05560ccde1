"""Moments of photographs at some layers of one network, at several sizes of the image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.readings import own_tensors
from ldam_studio.sampler.moments import Expected

ABOUT = "about"
FLOOR = 0.25
"""Least standard deviation of a moment, as a share of the median of its layer's moments."""
ROUNDING = 0.05
SAMPLED = 256
"""Number of values of each weight that enter `key_of`."""
DAMAGE = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What a damaged description may raise."""
LARGEST = 16 * 2**20
"""Size in bytes from which on a file cannot be one of statistics."""


@dataclass(frozen=True)
class PhotoStatistics:
    """Mean and standard deviation over photographs of the moments of a network's layers.

    Attributes
    ----------
    key
        The network's weights, see `key_of`.
    layers, channels
        Names of the layers, in the order of the forward pass, and their numbers of channels.
    sides
        For each size, the shorter side of an image in pixels: means and standard deviations of all
        moments, in the order of `sampler.moments.Expected`.
    source
        What they were measured on, in words.
    sha256
        SHA-256 of the file; empty if there is none.
    overwritten
        Whether later operations may overwrite the outputs of these layers.
    """

    key: str
    layers: tuple[str, ...]
    channels: tuple[int, ...]
    sides: Mapping[int, tuple[Tensor, Tensor]]
    source: str = ""
    sha256: str = ""
    overwritten: bool = False

    def expected(self, side: int, layers: Sequence[str], device: torch.device) -> Expected | None:
        """Return what is expected of images of about this size at some of the layers.

        Returns None if there are none of `layers` among those that were measured.
        """
        used = [number for number, name in enumerate(self.layers) if name in layers]
        if not used:
            return None
        mean, std = self.sides[min(self.sides, key=lambda known: (abs(known - side), known))]
        sizes = [2 * count for count in self.channels]
        means, stds = mean.split(sizes), std.split(sizes)
        shares = [torch.full((sizes[n],), 1 / (len(used) * sizes[n])) for n in used]
        return Expected(
            tuple(self.layers[n] for n in used),
            torch.cat([means[n] for n in used]).to(device),
            torch.cat([stds[n] for n in used]).to(device),
            torch.cat(shares).to(device),
            self.overwritten,
        )

    def content(self) -> bytes:
        """Return the file: float16 where that has the range, else float32."""
        tensors: dict[str, Tensor] = {}
        for side, (mean, std) in self.sides.items():
            spread = _short(std, std)
            # Compared with what is stored, so that a file that was read is written as it was.
            tensors |= {f"{side}.mean": _short(mean, spread.float()), f"{side}.std": spread}
        about = {
            "key": self.key,
            "layers": list(self.layers),
            "channels": list(self.channels),
            "source": self.source,
        }
        # One entry only: safetensors writes several in no fixed order.
        return save(tensors, {ABOUT: json.dumps(about, sort_keys=True)})


def of_file(path: Path) -> PhotoStatistics:
    """Read a file of statistics.

    Raises
    ------
    StudioError
        If it is missing or damaged, or is another kind of file.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        data = path.read_bytes()
        about = _about(path)
        return _checked(about, load(data), hashlib.sha256(data).hexdigest())
    except FileNotFoundError:
        raise StudioError(f"There is no file {path}; check the path.") from None
    except (OSError, SafetensorError, *DAMAGE) as error:
        raise StudioError(
            f"The photo statistics in {path} are damaged ({error}); delete the file and measure "
            "them again with ldam-studio train statistics."
        ) from None


def key_in(path: Path) -> str:
    """Return the key of the weights to which a file belongs; empty if it is damaged."""
    try:
        return str(_about(path)["key"])
    except (OSError, SafetensorError, *DAMAGE):
        return ""


def _about(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()[ABOUT])
    if not isinstance(about, dict):
        raise TypeError("its description is no dictionary")
    return about


def _checked(about: dict[str, Any], tensors: dict[str, Tensor], sha256: str) -> PhotoStatistics:
    layers = tuple(str(name) for name in about["layers"])
    channels = tuple(int(count) for count in about["channels"])
    sides = sorted({int(name.partition(".")[0]) for name in tensors})
    found = {}
    for side in sides:
        mean, std = (tensors[f"{side}.{name}"].float() for name in ("mean", "std"))
        if mean.shape != std.shape or mean.shape != (2 * sum(channels),):
            raise ValueError(f"{tuple(mean.shape)} and {tuple(std.shape)} moments")
        if not bool(mean.isfinite().all() and std.isfinite().all() and (std > 0).all()):
            raise ValueError("moments that are not finite, or have no spread")
        found[side] = mean, std
    if not layers or len(layers) != len(channels) or min(channels) < 1 or not found:
        raise ValueError("no layers or no sizes")
    return PhotoStatistics(
        str(about["key"]), layers, channels, found, str(about.get("source", "")), sha256
    )


def _short(values: Tensor, std: Tensor) -> Tensor:
    """Return values as float16, if that changes no z-score by more than `ROUNDING`."""
    half = values.half()
    error = (half.float() - values).abs()
    return half if bool((error <= ROUNDING * std).all()) else values


def floored(std: Tensor, channels: Sequence[int]) -> Tensor:
    """Return standard deviations of at least `FLOOR` times the median of their layer's moments."""
    parts = std.split([2 * count for count in channels])
    return torch.cat([torch.maximum(part, FLOOR * part.median()) for part in parts])


def key_of(module: nn.Module) -> str:
    """Return a SHA-256 of a network's weights that is the same for all formats of their file.

    It includes the names and shapes of all weights and `SAMPLED` values of each, evenly spaced, and
    the strides of convolutions, which are no weights, but change what a network does with them.
    """
    digest = hashlib.sha256()
    for name, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            digest.update(f"{name}{tuple(part.stride)}".encode())
    for name, weight in sorted(own_tensors(module).items()):
        if not weight.is_floating_point():
            continue
        flat = weight.detach().flatten()
        places = torch.linspace(0, max(0, flat.numel() - 1), SAMPLED, dtype=torch.float64).long()
        values = flat[places.to(flat.device)].float().cpu() if flat.numel() else flat.cpu()
        digest.update(f"{name}{tuple(weight.shape)}".encode())
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()
