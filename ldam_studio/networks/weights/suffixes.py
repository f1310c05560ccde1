"""How files of weights end: the one place that says so, for dialogs, dropped files and folders."""

from __future__ import annotations

from pathlib import Path

SAFETENSORS = ".safetensors"
"""Files of tensors alone, which cannot hold code; the program writes no other kind."""

WEIGHTS_SUFFIXES = (SAFETENSORS, ".pt", ".pth", ".bin", ".ckpt")
"""Those, and the usual endings of what ``torch.save`` writes."""


def is_weights(path: Path) -> bool:
    """Whether a file's name ends as weights do, in letters of either case."""
    return path.suffix.lower() in WEIGHTS_SUFFIXES


def is_safetensors(path: Path) -> bool:
    """Whether a file's name ends as safetensors files do, in letters of either case."""
    return path.suffix.lower() == SAFETENSORS
