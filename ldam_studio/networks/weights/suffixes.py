"""The suffixes of weights files, for dialogs, dropped files and folders."""

from __future__ import annotations

from pathlib import Path

SAFETENSORS = ".safetensors"
"""Files that contain only tensors and no code; the program writes weights only in this format."""

WEIGHTS_SUFFIXES = (SAFETENSORS, *".pt .pth .bin .ckpt .tar .t7 .th .sft .pkl .model".split())
"""Suffixes of safetensors files, and the usual ones of files that ``torch.save`` writes.

Files are recognised by their content; suffixes are for dialogs, and for what cannot be opened yet.
"""


def is_weights(path: Path) -> bool:
    """Return whether a file's name has a suffix of weights files, ignoring case."""
    return path.suffix.lower() in WEIGHTS_SUFFIXES


def without_suffixes(name: str) -> str:
    """Return a file's name without all its suffixes of weights files: ``.pth.tar`` has two."""
    while (path := Path(name)).suffix.lower() in WEIGHTS_SUFFIXES and path.stem:
        name = path.stem
    return name


def is_safetensors(path: Path) -> bool:
    """Return whether a file's name has the suffix of safetensors files, ignoring case."""
    return path.suffix.lower() == SAFETENSORS
