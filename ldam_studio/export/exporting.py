"""Exporting pictures with their recipes, and with a session file if the log is too long."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ldam_studio.engine.description import describe
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.export.formats.table import format_of
from ldam_studio.export.kept_weights import Kept, keep_weights
from ldam_studio.export.known import remember
from ldam_studio.export.recipe import LIMIT, Recipe, lessons_hash
from ldam_studio.export.session_file import SUFFIX, session_bytes
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.files import read_bytes, write_together


@dataclass(frozen=True)
class Exported:
    """Files that were written: the picture, and its session file ("sidecar") if it needs one.

    `settling` means that a shown chain had not become steady again after a change of settings;
    `burned_in` means that every shown chain was burned in. `weights` are copies of the weights in
    the files `overwritten`, which a training overwrites; see `kept_weights`.
    """

    path: Path
    sidecar: Path | None
    settling: bool
    burned_in: bool
    weights: tuple[Path, ...] = ()
    overwritten: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Draft:
    """Pictures that are encoded but not yet written, and what they use; see `draft`."""

    files: dict[Path, bytes]
    used: Mapping[str, Any]
    exported: tuple[Exported, ...]
    origin: dict[str, Any] | None

    def write(self, state: SessionState, others: Mapping[Path, bytes] | None = None) -> None:
        """Write the pictures, together with `others`: either all files are written or none.

        Raises
        ------
        StudioError
            If a file cannot be written. Nothing is left behind, and the session is as before.
        """
        write_together(self.files | dict(others or {}))
        remember(self.used)
        if self.origin is not None:
            state.origin, state.log = self.origin, []


Encode = Callable[[Bytes, Recipe], bytes]
"""Returns a file's bytes for a picture (H, W, 3) and its recipe."""


def export(
    state: SessionState,
    shown: Shown,
    path: Path,
    *,
    photographs: bool = False,
    encode: Encode | None = None,
) -> Exported:
    """Write a picture of `state` with its recipe, in the format of the path or by `encode`.

    If the log is too long, or names weights that have been overwritten since, a session file is
    written beside the picture, and the log continues from it; the session's own log then starts
    again at this step. Weights that a training overwrites are written beside the picture, too.
    With `photographs`, the recipe holds the pictures that were brought from files.

    Raises
    ------
    StudioError
        If there is nothing to show, the path has the suffix of no known format, or a file cannot be
        written. Nothing is left behind then.
    """
    made = draft(state, {path: shown}, photographs=photographs, encode=encode)
    made.write(state)
    return made.exported[0]


def draft(
    state: SessionState,
    pictures: Mapping[Path, Shown],
    *,
    photographs: bool = False,
    encode: Encode | None = None,
) -> Draft:
    """Encode pictures of `state` for one folder, with their recipes and a session file if needed.

    With `photographs`, the recipes hold the pictures that were brought from files. `encode` takes
    the place of the formats' own.

    Raises
    ------
    StudioError
        If there is nothing to show, or a path has the suffix of no known format.
    """
    drawn = {path: picture_of(state, shown) for path, shown in pictures.items()}
    first = next(iter(pictures))
    kept = keep_weights(state, first)
    state = kept.state
    recipes = {
        path: Recipe.of(state, shown, drawn[path], path.parent, photographs=photographs)
        for path, shown in pictures.items()
    }
    files = dict(kept.files)
    origin = None
    if kept.relies or any(
        needs_session_file(recipe, path.parent) for path, recipe in recipes.items()
    ):
        data = session_bytes(state, history=False, folder=first.parent)
        digest = hashlib.sha256(data).hexdigest()
        name = f"{first.stem}-{digest[:12]}{SUFFIX}"
        files[first.parent / name] = data
        origin = {"sidecar": {"file": name, "sha256": digest}}
        begun = replace(state, origin=origin, log=[])
        recipes = {
            path: Recipe.of(begun, shown, drawn[path], path.parent)
            for path, shown in pictures.items()
        }
    for path in pictures:
        files[path] = (encode or format_of(path).encode)(drawn[path], recipes[path])
    exported = tuple(
        _exported(state, shown, recipes[path], path, kept) for path, shown in pictures.items()
    )
    return Draft(files, used_in(state), exported, origin)


def used_in(state: SessionState) -> dict[str, Any]:
    """Return a session as recipes describe it, with its files where they are."""
    return {
        "session": state.origin,
        "end": describe(state.outline),
        "log": [entry.json() for entry in state.log],
        "real_images": lessons_hash(state),
    }


def _exported(
    state: SessionState, shown: Shown, recipe: Recipe, path: Path, kept: Kept
) -> Exported:
    several = shown.what in ("strip", "averages")
    chosen = slice(None) if several else slice(shown.front, shown.front + 1)
    sidecar = recipe.session_file
    return Exported(
        path,
        None if sidecar is None else path.parent / sidecar.file,
        settling=any(bool(lane.progress.settling[chosen].any()) for lane in state.lanes),
        burned_in=all(bool(lane.progress.done[chosen].all()) for lane in state.lanes),
        weights=tuple(kept.files),
        overwritten=kept.overwritten,
    )


def needs_session_file(recipe: Recipe, folder: Path) -> bool:
    """Return whether a picture in this folder needs a session file from which its log goes on."""
    if len(recipe.text) > LIMIT:
        return True
    if (before := recipe.session_file) is not None:
        # The session file from which the log continues must be in this folder, too.
        known = folder / before.file
        return not known.exists() or _file_hash(known) != before.sha256
    return "at" in recipe.data["session"]


def _file_hash(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
