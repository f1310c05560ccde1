"""The recipe inside a picture: everything that is needed to compute its pixels again.

Recipes are written in format 3, which has `lanes`, one for each network. Formats 1 and 2 of LDAM
Studio 0.1.0 can be read: format 1 describes one network, and format 2 has another one under
`second`.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta, Struct

from ldam_studio import __version__
from ldam_studio.engine.changes.table import check_logged
from ldam_studio.engine.comparison import MOST_LANES
from ldam_studio.engine.compute.device import processor
from ldam_studio.engine.description import (
    MOST_CHAINS,
    Count,
    Place,
    SessionDescription,
    Sha256,
    Text,
    describe,
    parse,
    parse_session,
    with_lanes,
)
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.picture_values import Inside, inside
from ldam_studio.engine.prior import denoiser_hash
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.cells import SheetDescription
from ldam_studio.export.places import with_written_places
from ldam_studio.export.shown import Shown, difference_scales, is_whole
from ldam_studio.networks.sources.in_memory import is_in_memory
from ldam_studio.networks.weights.fingerprint import fingerprint

FORMAT = 3
LIMIT = 450_000
"""Largest size of a recipe in bytes; above it the session is written to a session file. The
documented limit is 500 kB."""


MOST_CHANGES = 100_000
"""Changes in the log of a recipe; session files, in which a log begins again, may have more."""
Each = Meta(max_length=MOST_CHAINS)
IN_MEMORY = (
    "The network was a module in the memory of a Python program, which no file has: only "
    "ldam_studio.replay, given the same module as network=, can replay this."
)
"""What the recipe of such a network says under `cannot_replay`."""


class Progress(Struct, frozen=True):
    """How far a lane's chains were.

    `difference_scale` is the display scale for the difference between its average and that of the
    first lane.
    """

    samples: Annotated[tuple[Count, ...], Each]
    burned_in: Annotated[tuple[bool, ...], Each]
    settling: Annotated[tuple[bool, ...], Each]
    difference_scale: float | None = None


class Logged(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A change in the log, see `engine.state.LogEntry`."""

    step: Count
    name: Text
    value: Any
    lane: Annotated[int, Meta(ge=0, lt=MOST_LANES)] | None = None


class SessionFile(Struct, frozen=True):
    """The name and SHA-256 of the file beside the picture from which its log continues."""

    file: Place
    sha256: Sha256


class Document(Struct, frozen=True):
    """The content of a recipe in format 3.

    `session` says where the log starts: it describes a session, or names a session file. `end`
    describes the session at the export. With a `sheet` the picture is a page of many neurons, each
    drawn in a session of its own; `session` and `end` are then those of the first of them.
    """

    format: int
    program: Text
    version: Text
    machine: Annotated[
        dict[Text, Text | bool | int | float | tuple[Text, ...] | None], Meta(max_length=100)
    ]
    session: dict[str, Any]
    end: SessionDescription
    log: Annotated[tuple[Logged, ...], Meta(max_length=MOST_CHANGES)]
    step: Count
    shown: dict[str, Any]
    lanes: Annotated[tuple[Progress, ...], Meta(min_length=1, max_length=MOST_LANES)]
    pixels: Sha256
    sha256: Sha256
    sheet: SheetDescription | None = None
    real_images: Sha256 | None = None
    discriminator_seen: Annotated[dict[Text, Any], Meta(max_length=10)] | None = None
    denoiser: Sha256 | None = None
    pictures: Inside = {}
    cannot_replay: Text = ""


@dataclass(frozen=True)
class Recipe:
    """A recipe that was read or will be written; `data` is its JSON, in its own format."""

    data: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        state: SessionState,
        shown: Shown,
        picture: Bytes,
        folder: Path | None = None,
        *,
        photographs: bool = False,
    ) -> Recipe:
        """Return the recipe of `picture`, for a file in `folder` or in none; see `places`.

        Pictures that were brought into the session from a file are inside if `photographs` says so.
        """
        data: dict[str, Any] = {
            "format": FORMAT,
            "program": "LDAM Studio",
            "version": __version__,
            "machine": device_of(state),
            "session": state.origin,
            "end": describe(state.outline),
            "log": [entry.json() for entry in state.log],
            "step": state.step,
            "shown": shown.json() | {"average_over": state.lane.settings.average_over},
            "lanes": [_progress_of(lane) for lane in state.lanes],
            "pixels": pixel_hash(picture),
        }
        scales = difference_scales(state, shown)
        for progress, scale in zip(data["lanes"][1:], scales, strict=False):
            progress["difference_scale"] = scale
        if (lessons := lessons_hash(state)) is not None:
            data["real_images"] = lessons
        if (seen := discriminator_seen(state)) is not None:
            data["discriminator_seen"] = seen
        if (denoiser := denoiser_hash(state)) is not None:
            data["denoiser"] = denoiser
        if pictures := _inside(state, photographs):
            data["pictures"] = pictures
        if any(is_in_memory(lane.network.name) for lane in state.lanes):
            data["cannot_replay"] = IN_MEMORY
        data = with_written_places(data, folder)
        return cls(data | {"sha256": _hash(data)})

    @classmethod
    def parse(cls, text: str, where: Path | str) -> Recipe:
        """Read a recipe.

        Raises
        ------
        StudioError
            If the text is not a recipe, was written by a later program, or was altered.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise StudioError(f"The recipe in {where} is damaged; use the picture as exported.")
        if is_whole(data.get("format")) and data["format"] > FORMAT:
            raise StudioError(
                f"The recipe in {where} was written by a later version of LDAM Studio "
                f"({data.get('version')}); update this one."
            )
        if data.get("sha256") != _hash({k: v for k, v in data.items() if k != "sha256"}):
            raise StudioError(
                f"The recipe in {where} was changed after the export; use the picture as exported."
            )
        recipe = cls(data)
        # All of it is checked here, since the hash may be forged.
        try:
            said = recipe.said
            for entry in said.log:
                check_logged(entry.name, entry.value)
            if recipe.session_file is None:
                parse_session(recipe.data["session"])
        except (ValueError, OverflowError, StudioError) as error:
            raise StudioError(
                f"The recipe in {where} is not valid ({str(error).rstrip('.')}); export the "
                "picture again."
            ) from None
        try:
            recipe.shown  # noqa: B018 - as above
        except TypeError:
            raise StudioError(
                f"The recipe in {where} does not say what it shows; export the picture again."
            ) from None
        return recipe

    def having(self, **values: Any) -> Recipe:
        """Return the recipe with other values of these names, and a hash that fits them."""
        data = {k: v for k, v in self.data.items() if k != "sha256"} | values
        return Recipe(data | {"sha256": _hash(data)})

    @cached_property
    def said(self) -> Document:
        """The content of the recipe, converted to format 3."""
        return msgspec.convert(_in_format_3(self.data), Document)

    @property
    def text(self) -> str:
        """The recipe as JSON, in ASCII."""
        return _json(self.data)

    @property
    def step(self) -> int:
        """The step at which the picture was exported."""
        return self.said.step

    @property
    def shown(self) -> Shown:
        """What the picture shows."""
        values = {k: v for k, v in self.data["shown"].items() if k != "average_over"}
        return Shown(**values)

    @property
    def session_file(self) -> SessionFile | None:
        """The session file from which the log continues; None if it needs none.

        Raises
        ------
        StudioError
            If its description is damaged.
        """
        found = self.data["session"].get("sidecar")
        return None if found is None else parse(found, SessionFile)


def _in_format_3(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe of any format in the structure of format 3, not yet checked."""
    if data.get("format") == FORMAT:
        return dict(data)
    lanes = [data] if data.get("second") is None else [data, data["second"]]
    return {**data, "lanes": lanes, "end": with_lanes(data.get("end"))}


def _progress_of(lane: Lane) -> dict[str, Any]:
    return {
        "samples": lane.shown_average().count.tolist(),
        "burned_in": lane.progress.done.tolist(),
        "settling": lane.progress.settling.tolist(),
    }


def _inside(state: SessionState, photographs: bool) -> dict[str, str]:
    """Return the pictures that a recipe holds: those of the log, without files or as wished."""
    logged = {entry.value["sha256"] for entry in state.log if entry.name == "picture"}
    return {
        kept.sha256: inside(kept)
        for kept in state.pictures
        if kept.sha256 in logged and (photographs or kept.file is None)
    }


def lessons_hash(state: SessionState) -> str | None:
    """Return the SHA-256 of the real images from which the discriminator learns, if it learns."""
    if state.learner is None or state.real_images is None:
        return None
    return _sha256(state.real_images.cpu().numpy().tobytes())


def discriminator_seen(state: SessionState) -> dict[str, Any] | None:
    """Return the state of the discriminator, if it has learned in this session.

    It consists of the number of rounds, and the SHA-256 of the discriminator's present weights.
    """
    if state.learner is None:
        return None
    return {"rounds": state.learner.rounds, "sha256": fingerprint(state.learner.module)}


def device_of(state: SessionState) -> dict[str, Any]:
    """Describe what affects the last bits: device, precision, threads, torch and processor."""
    device = state.device.name
    gpu = torch.cuda.get_device_name() if device == "cuda" else None
    return state.device.json() | {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": gpu or processor(),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }


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
