"""A record of bounded size that keeps its whole span: when it is full, every second row goes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.engine.compute.transfer import to_host

MOST_ROWS = 2048
LEAST_ROWS = 256
MOST_CELLS = 131_072
"""Rows times chains, as long as there are `LEAST_ROWS`: 1,000 chains have 256 rows of 17 numbers,
which take 17 MB; 64 chains or fewer have 2,048 rows, which take 9 MB at most."""

CHUNK = 32  # rows that wait on the device, so that it is not waited for at every step


class Rows:
    """Numbers of all chains at some steps; `width` numbers for each of `chains` chains."""

    def __init__(self, chains: int, width: int) -> None:
        self._most = min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // chains))
        self._shape = (chains, width)
        self._values = np.empty((0, *self._shape), np.float32)
        self._steps = np.empty(self._most, np.int64)
        self._kept = 0
        self._numbers = np.empty(self._most, np.int64)  # of the samples, counted from 1
        self._waiting: list[tuple[int, int, Tensor]] = []
        self._seen = 0
        self.stride = 1
        """Every how many samples one is kept."""

    def add(self, step: int, row: Tensor) -> None:
        """Add the numbers after a step, (chains, width)."""
        self._seen += 1
        if self._seen % self.stride:
            return
        self._waiting.append((self._seen, step, row))
        if len(self._waiting) >= CHUNK:
            self._fetch()

    def go_back_to(self, step: int) -> None:
        """Remove the rows of later steps, which were undone."""
        while self._waiting and self._waiting[-1][1] > step:
            self._waiting.pop()
        if not self._waiting:
            while self._kept and self._steps[self._kept - 1] > step:
                self._kept -= 1

    def copy(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the steps (n,) and the numbers (n, chains, width)."""
        self._fetch()
        return self._steps[: self._kept].copy(), self._values[: self._kept].copy()

    def _fetch(self) -> None:
        if not self._waiting:
            return
        rows = to_host({0: torch.stack([row for *_, row in self._waiting])})[0]
        for (number, step, _), row in zip(self._waiting, rows, strict=True):
            if self._kept == self._most:
                self._thin()
            if number % self.stride:
                continue
            if self._kept == len(self._values):
                self._grow()
            self._numbers[self._kept], self._steps[self._kept] = number, step
            self._values[self._kept] = row
            self._kept += 1
        self._waiting.clear()

    def _grow(self) -> None:
        size = min(self._most, max(CHUNK, 2 * len(self._values)))
        larger = np.empty((size, *self._shape), np.float32)
        larger[: self._kept] = self._values[: self._kept]
        self._values = larger

    def _thin(self) -> None:
        self.stride *= 2
        stays = np.flatnonzero(self._numbers[: self._kept] % self.stride == 0)
        for array in (self._numbers, self._steps, self._values):
            array[: len(stays)] = array[stays]
        self._kept = len(stays)
