"""The recipe that travels in a picture: everything from which its pixels can be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ldam_studio import __version__
from ldam_studio.engine.picture import (
    DISPLAYS,
    Bytes,
    Floats,
    common_scale,
    difference_scale,
    difference_to_bytes,
    enlarge,
    grid,
    to_bytes,
)
from ldam_studio.engine.session import describe
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import fingerprint
from ldam_studio.sampler.settings import SETTINGS

FORMAT = 2
"""Of recipes with two lanes; one without is of format 1, which earlier programs read."""
LIMIT = 450_000
"""Bytes of a recipe; beyond it, the session goes into a sidecar. Promised: 500 kB."""
MAX_ZOOM = 64
MAX_STEPS = 10**12

KINDS = {
    "average": "the front chain's average",
    "raw": "the front chain's raw sample",
    "strip": "the raw samples of all chains",
    "averages": "the averages of all chains",
}
"""What may be exported."""
AVERAGES = ("average", "averages")
LANE_GAP = 3  # pixels between what is shown of two lanes

_KEYS: dict[str, type | tuple[type, ...]] = {
    "format": int,
    "program": str,
    "version": str,
    "machine": dict,
    "session": dict,
    "end": dict,
    "log": list,
    "step": int,
    "shown": dict,
    "samples": list,
    "burned_in": list,
    "settling": list,
    "pixels": str,
    "sha256": str,
}


@dataclass(frozen=True)
class Shown:
    """Which picture of a session, and how its pixels become bytes.

    `what` is one of `KINDS`; `front` counts only where one chain is shown. `display` and `scale`
    are those of `engine.picture.to_bytes`; pixels are repeated `zoom` times in both directions.
    """

    what: str = "average"
    front: int = 0
    display: str = "signed"
    scale: float | None = None
    zoom: int = 1

    def __post_init__(self) -> None:
        if self.what not in KINDS:
            raise StudioError(f"What is exported is one of {', '.join(KINDS)}, not {self.what!r}.")
        if self.display not in DISPLAYS:
            raise StudioError(f"The display is one of {', '.join(DISPLAYS)}, not {self.display!r}.")
        if not _is_whole(self.zoom) or not 1 <= self.zoom <= MAX_ZOOM:
            raise StudioError(
                f"The zoom is a whole number from 1 to {MAX_ZOOM}, not {self.zoom!r}."
            )
        if not _is_whole(self.front) or self.front < 0:
            raise StudioError(f"The front chain is a whole number from 0, not {self.front!r}.")
        if self.scale is not None and not (
            isinstance(self.scale, int | float) and 0 < self.scale < float("inf")
        ):
            raise StudioError(f"The display's scale is a number above 0, not {self.scale!r}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def picture_of(state: SessionState, shown: Shown) -> Bytes:
    """Return the picture (H, W, 3) that `shown` asks for.

    Of two lanes both are in it, the first one first, at one scale of display; after averages comes
    the second one's less the first one's.

    Raises
    ------
    StudioError
        If there is no such chain, or its average has no sample yet.
    """
    pixels = state.lane.network.pixels
    rows = [_images(lane, shown) for lane in state.lanes]
    # Those of one chain, in all lanes, are to be compared.
    scales = [
        common_scale(images, pixels) if shown.scale is None and len(rows) > 1 else shown.scale
        for images in zip(*rows, strict=True)
    ]
    parts = [
        [
            to_bytes(image, pixels, shown.display, scale)
            for image, scale in zip(row, scales, strict=True)
        ]
        for row in rows
    ]
    if len(rows) > 1 and shown.what in AVERAGES:
        apart = rows[1] - rows[0]
        scale = difference_scale(apart)
        parts.append([difference_to_bytes(image, pixels, scale) for image in apart])
    sheets = [row[0] if len(row) == 1 else grid(row) for row in parts]
    beside = len(sheets) if len(parts[0]) == 1 else 1
    return enlarge(sheets[0] if len(sheets) == 1 else grid(sheets, beside, LANE_GAP), shown.zoom)


def _images(lane: Lane, shown: Shown) -> Floats:
    """Return the images (n, C, H, W) of a lane that `shown` asks for."""
    chains = len(lane.neurons)
    wanted = range(chains)
    if shown.what in ("average", "raw"):
        if shown.front >= chains:
            raise StudioError(f"There are chains 1 to {chains}, not {shown.front + 1}.")
        wanted = range(shown.front, shown.front + 1)
    if shown.what in AVERAGES:
        average = lane.shown_average()
        if not bool((average.count[wanted.start : wanted.stop] > 0).all()):
            raise StudioError("Nothing is averaged yet; let it run, or export the raw sample.")
        images = average.mean
    else:
        images = lane.chains.x
    return images[wanted.start : wanted.stop].detach().cpu().numpy().astype(np.float32)


@dataclass(frozen=True)
class Recipe:
    """A recipe as it was read or written; `data` is what its JSON says."""

    data: Mapping[str, Any]

    @classmethod
    def of(cls, state: SessionState, shown: Shown, picture: Bytes) -> Recipe:
        """Write down how `picture` came to be."""
        lane = state.lane
        data: dict[str, Any] = {
            "format": _format_of(state),
            "program": "LDAM Studio",
            "version": __version__,
            "machine": device_of(state),
            "session": state.origin,
            "end": describe(state),
            "log": [entry.json() for entry in state.log],
            "step": state.step,
            "shown": asdict(shown) | {"average_over": lane.settings.average_over},
            **_progress_of(lane),
            "pixels": pixel_hash(picture),
        }
        if state.second is not None:
            data["second"] = _progress_of(state.second)
            if shown.what in AVERAGES:
                apart = _images(state.second, shown) - _images(lane, shown)
                data["second"]["difference_scale"] = difference_scale(apart)
        if (lessons := lessons_hash(state)) is not None:
            data["real_images"] = lessons
        if (seen := discriminator_seen(state)) is not None:
            data["discriminator_seen"] = seen
        return cls(data | {"sha256": _hash(data)})

    @classmethod
    def parse(cls, text: str, where: Path | str) -> Recipe:
        """Read a recipe.

        Raises
        ------
        StudioError
            If it is no recipe, was written by a later program, or was altered.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise StudioError(f"The recipe in {where} is damaged; use the picture as exported.")
        if _is_whole(data.get("format")) and data["format"] > FORMAT:
            raise StudioError(
                f"{where} was exported by a later LDAM Studio ({data.get('version')}); update this "
                "one."
            )
        altered = data.get("sha256") != _hash(
            {key: value for key, value in data.items() if key != "sha256"}
        )
        if altered or not all(isinstance(data.get(key), kind) for key, kind in _KEYS.items()):
            raise StudioError(
                f"The recipe in {where} was altered after the export; use the picture as exported."
            )
        recipe = cls(data)
        recipe._check(where)
        return recipe

    def _check(self, where: Path | str) -> None:
        """Refuse what no export writes; whoever forges the hash still gets one sentence."""
        neurons = self.data["end"].get("neurons")
        well = (
            isinstance(neurons, list)
            and len(neurons) <= SETTINGS["chains"].maximum
            and 0 <= self.step <= MAX_STEPS
            and all(
                isinstance(entry, list)
                and len(entry) in (3, 4)
                and _is_whole(entry[0])
                and isinstance(entry[1], str)
                and entry[3:] in ([], [0], [1])
                for entry in self.data["log"]
            )
        )
        if not well:
            raise StudioError(f"The recipe in {where} makes no sense; export the picture again.")
        try:
            self.shown  # noqa: B018 - it is made to be checked
        except TypeError:
            raise StudioError(
                f"The recipe in {where} does not say what it shows; export the picture again."
            ) from None

    @property
    def text(self) -> str:
        """The recipe as JSON, in ASCII."""
        return _json(self.data)

    @property
    def step(self) -> int:
        """The step at which the picture was exported."""
        return int(self.data["step"])

    @property
    def shown(self) -> Shown:
        """What the picture shows."""
        values = {k: v for k, v in self.data["shown"].items() if k != "average_over"}
        return Shown(**values)

    @property
    def sidecar(self) -> Mapping[str, Any] | None:
        """The file (name and SHA-256) from which the session goes on, if it needs one."""
        found: Mapping[str, Any] | None = self.data["session"].get("sidecar")
        return found


def _format_of(state: SessionState) -> int:
    compares = any(entry.lane is not None or entry.name == "compare" for entry in state.log)
    return FORMAT if compares or state.second is not None or "second" in state.origin else 1


def _progress_of(lane: Lane) -> dict[str, Any]:
    return {
        "samples": lane.shown_average().count.tolist(),
        "burned_in": lane.progress.done.tolist(),
        "settling": lane.progress.settling.tolist(),
    }


def lessons_hash(state: SessionState) -> str | None:
    """Return the SHA-256 of the real images that the discriminator learns from, if it does."""
    if state.learner is None or state.real_images is None:
        return None
    return _sha256(state.real_images.cpu().numpy().tobytes())


def discriminator_seen(state: SessionState) -> dict[str, Any] | None:
    """Return which discriminator the chains saw, if it has learned here.

    The rounds that it had learned, and a SHA-256 of its weights as they then were.
    """
    if state.learner is None:
        return None
    return {"rounds": state.learner.rounds, "sha256": fingerprint(state.learner.module)}


def device_of(state: SessionState) -> dict[str, Any]:
    """Describe what decides about the last bits: device, precision, threads, torch, processor."""
    device = state.device.name
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    return state.device.json() | {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": gpu or _processor(),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def pixel_hash(picture: Bytes) -> str:
    """Return the SHA-256 of a picture's bytes and shape (H, W, 3)."""
    return _sha256(repr(picture.shape).encode() + picture.tobytes())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(data: Mapping[str, Any]) -> str:
    try:
        return _sha256(_json(data).encode())
    except ValueError:
        return ""
