"""From nothing to the first moving frame, as a multiple of importing torch and PyQt6."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from row import Row

IMPORTS = "import torch\nfrom PyQt6 import QtCore, QtGui, QtWidgets"
FIRST_FRAME = str(Path(__file__).with_name("first_frame.py"))
ROUNDS = 5


def measure() -> list[Row]:
    """Start both in turns, after one round that warms the disk's cache."""
    ratios = []
    for _ in range(ROUNDS + 1):
        imports = _seconds("-c", IMPORTS)
        ratios.append(_seconds(FIRST_FRAME) / imports)
    return [
        Row("start to first moving frame / importing torch and PyQt6", median(ratios[1:]), "<= 2")
    ]


def _seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
