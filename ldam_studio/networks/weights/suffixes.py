"""The suffixes of weights files, for dialogs, dropped files and folders."""

from __future__ import annotations

from pathlib import Path

SAFETENSORS = ".safetensors"
"""Files that contain only tensors and no code; the program writes weights only in this format."""

WEIGHTS_SUFFIXES = (SAFETENSORS, ".pt", ".pth", ".bin", ".ckpt")
"""Suffixes of safetensors files, and the usual ones of files that ``torch.save`` writes."""


def is_weights(path: Path) -> bool:
    """Return whether a file's name has a suffix of weights files, ignoring case."""
    return path.suffix.lower() in WEIGHTS_SUFFIXES


def is_safetensors(path: Path) -> bool:
    """Return whether a file's name has the suffix of safetensors files, ignoring case."""
    return path.suffix.lower() == SAFETENSORS
