"""Where a training puts its checkpoints: files in a folder and in those below it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.networks.weights.places import INDEX
from ldam_studio.networks.weights.suffixes import without_suffixes

DEEPEST = 4
"""Levels of folders that are searched: Lightning's logs are three deep."""

MOST_FILES = 20_000
"""Files that are listed at most; a folder with more is no training's."""

PASSED = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Folders that are not searched."""

COMPANIONS = frozenset(
    ".txt .md .rst .log .out .err .json .jsonl .yaml .yml .toml .ini .cfg .conf .csv .tsv .py .pyc "
    ".ipynb .sh .html .css .js .xml .png .jpg .jpeg .gif .svg .webp .bmp .pdf .mp4 .avi .wav .npy "
    ".lock .tmp .part .db .sqlite".split()
)
"""Suffixes of files that trainings write beside their checkpoints, and of unfinished ones."""

EVENTS = "events.out.tfevents"

STATE_FILE = "run.state"
"""The file in which `train live` keeps what it needs to go on, beside its checkpoints."""

OF_TRAINING = re.compile(
    r"(optimizer|optim|scheduler|lr_scheduler|scaler|rng_state|random_states|training_args)"
    r"([._-]\w+)*\.(pt|pth|bin|pkl|safetensors)",
    re.IGNORECASE,
)
"""Names under which libraries save the state of a training beside the network."""

PART = re.compile(r"-\d{5}-of-\d{5}\.\w+$")
"""The end of the name of one of several files of one network."""

NUMBERED = re.compile(r"(?:^|[^0-9])\d+$")
OWN_FOLDER = re.compile(r"(checkpoint|ckpt|step|epoch|iter\w*)\W?\d+$", re.IGNORECASE)
AVERAGED = "averaged"
"""The folder in which `CheckpointWriter` keeps moving averages beside the checkpoints."""

Natural = tuple[tuple[int, int, str], ...]
"""A key that sorts names with numbers in them by the numbers."""


@dataclass(frozen=True)
class Found:
    """What lies below a place.

    Attributes
    ----------
    files
        The files that may be checkpoints.
    passed
        Other files that may be meant, each with a short reason why it is passed over.
    companions
        Files that are certainly none, such as logs and pictures.
    folders
        The folders that were searched, with the times of their last changes in ns.
    """

    files: tuple[Path, ...]
    passed: Mapping[Path, str]
    companions: tuple[Path, ...]
    folders: Mapping[Path, int]


def below(place: Path) -> Found:
    """List a folder and those below it.

    Raises
    ------
    OSError
        If the folder itself cannot be read.
    """
    files: list[Path] = []
    companions: list[Path] = []
    folders: dict[Path, int] = {}
    waiting = [(place, 0)]
    while waiting and len(files) + len(companions) < MOST_FILES:
        folder, depth = waiting.pop()
        try:
            folders[folder] = folder.stat().st_mtime_ns
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            if folder == place:
                raise
            continue  # gone since it was listed, or another person's
        for entry in listed:
            path = folder / entry.name
            if _is_folder(entry):
                # A link to a folder would list the same files twice.
                if depth < DEEPEST and not entry.is_symlink() and entry.name not in PASSED:
                    waiting.append((path, depth + 1))
            elif _is_companion(path):
                companions.append(path)
            else:
                files.append(path)
    passed = dict(_passed_over(files))
    left = tuple(path for path in files if path not in passed)
    return Found(left, passed, tuple(companions), folders)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # a link to itself leads there, without an error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_companion(path: Path) -> bool:
    if path.name.startswith((EVENTS, STATE_FILE)):
        return True
    return path.suffix.lower() in COMPANIONS and not path.name.endswith(INDEX)


def _passed_over(files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return files that are the same as others, or no network's, each with the reason."""
    known = set(files)
    found: list[tuple[Path, str]] = []
    for path in files:
        twin = path.parent.parent / path.name
        if OF_TRAINING.fullmatch(path.name):
            found.append((path, "is the state of the training, not of the network"))
        elif path.parent.name == AVERAGED and twin in known:
            found.append((path, f"is the moving average beside {twin.name}"))
        elif path.is_symlink() and path != (real := _real(path)) and real in known:
            found.append((path, f"is a link to {real.name}"))
        elif PART.search(path.name):
            found.append((path, "is only a part of a network"))
    return found


def name_and_run(path: Path, place: Path) -> tuple[str, Natural]:
    """Return the name that says which checkpoint this is, and a key of the run it belongs to.

    In a folder of its own for each checkpoint, such as ``checkpoint-500/model.safetensors``, the
    folder's name says it, and the folders above it are the run.
    """
    folders = path.parent.parts[len(place.parts) :] if place in path.parents else ()
    name = path.name
    if folders and NUMBERED.search(folders[-1]) and not re.search(r"\d", path.stem):
        *folders, name = folders  # type: ignore[assignment]
    return name, tuple(part for folder in folders for part in natural(folder))


def stays(path: Path) -> bool:
    """Return whether a checkpoint has a number in its name, so that later ones have other names.

    A training overwrites the others, such as ``last.pth``, again and again.
    """
    number = re.search(r"\d", without_suffixes(path.name)) or OWN_FOLDER.search(path.parent.name)
    return number is not None


def natural(name: str) -> Natural:
    """Return a key by which 9 comes before 10 in names."""
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts)
