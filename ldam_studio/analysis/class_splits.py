"""Classes for tuning and classes for reporting, separated by a fixed rule.

Settings that were chosen on some classes give better results for these than for others. A class
belongs to one of the two splits by a hash of its index, which is the same for every network and
every run.
"""

from __future__ import annotations

import hashlib

SPLITS = ("tune", "report")

RULE = "a class is for tuning where SHA-256 of its index, written in decimal, begins with a byte "
RULE += "below 128, else for reporting"
"""The rule in words, for tables and files."""


def split_of(index: int) -> str:
    """Return the split to which the class with this index belongs, one of `SPLITS`."""
    return SPLITS[hashlib.sha256(str(index).encode()).digest()[0] >= 128]


def classes_of(split: str, classes: int) -> list[int]:
    """Return the indices of a split, ascending, for a network with this number of classes."""
    return [index for index in range(classes) if split_of(index) == split]
