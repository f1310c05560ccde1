"""Keeps values over steps in bounded memory. No Qt in here."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Steps = NDArray[np.int64]


class View(NamedTuple):
    """The values of a run in stretches of consecutive steps.

    Attributes
    ----------
    steps
        First step of each stretch, of shape (n,).
    low, mean, high
        Least, mean and greatest values in each stretch, of shape (n, ...).
    """

    steps: Steps
    low: Floats
    mean: Floats
    high: Floats

    def of(self, which: int) -> View:
        """Return one quantity of several: arrays (n, ...) at index ``which`` of their axis 1."""
        low, mean, high = (a[:, which] for a in self[1:])
        return View(self.steps, low, mean, high)

    def of_chain(self, which: int, chain: int, most: int) -> View | None:
        """Return one quantity of one chain, arrays (n,), in at most about ``most`` stretches."""
        if not len(self.steps):
            return None
        steps, low, mean, high = self.of(which).thinned(most)
        return View(steps, low[:, chain], mean[:, chain], high[:, chain])

    def newest(self, which: int, chain: int) -> float | None:
        """Return the newest value of one quantity of one chain; None if it was not measured."""
        newest = float(self.high[-1, which, chain]) if len(self.steps) else np.nan
        return newest if np.isfinite(newest) else None

    def measures(self, which: int) -> bool:
        """Return whether one quantity was measured in the newest stretch, for any chain."""
        return bool(len(self.steps) and np.isfinite(self.high[-1, which]).any())

    def smoothed(self, which: int, over: int) -> View:
        """Return a view in which one quantity is averaged over the last ``over`` stretches.

        Values that were not measured (NaN) are ignored in the mean, and stay NaN.
        """
        values = self.mean[:, which]
        known = np.isfinite(values)
        if not known.any():
            return self
        total = np.cumsum(np.where(known, values, 0), axis=0, dtype=np.float64)
        count = np.cumsum(known, axis=0)
        total[over:] -= total[:-over].copy()
        count[over:] -= count[:-over].copy()
        mean = np.where(known, total / np.maximum(count, 1), np.nan).astype(np.float32)
        replaced = [part.copy() for part in self[1:]]
        for part in replaced:
            part[:, which] = mean
        return View(self.steps, *replaced)

    def thinned(self, most: int) -> View:
        """Return a view with at most about ``most`` stretches."""
        group = -(-len(self.steps) // most)
        if group <= 1:
            return self
        # Groups start at fixed steps, because moving curves would flicker otherwise.
        starts = np.arange(int(-self.steps[0]) % group, len(self.steps), group)
        if starts[0]:
            starts = np.append(0, starts)
        sizes: Floats = np.diff(np.append(starts, len(self.steps))).astype(np.float32)
        total: Floats = np.add.reduceat(self.mean, starts, axis=0)
        return View(
            self.steps[starts],
            np.fmin.reduceat(self.low, starts, axis=0),
            total / sizes.reshape(-1, *(1,) * (total.ndim - 1)),
            np.fmax.reduceat(self.high, starts, axis=0),
        )


class Recent:
    """Keeps the most recent rows unchanged.

    Parameters
    ----------
    shape
        The shape of one row.
    keep
        How many rows are kept.
    """

    def __init__(self, shape: tuple[int, ...], keep: int) -> None:
        self._keep = keep
        # With twice the space, rows are moved only once in `keep`, and views are contiguous.
        self._steps = np.zeros(2 * keep, np.int64)
        self._rows = np.zeros((2 * keep, *shape), np.float32)
        self._end = 0

    def add(self, steps: Steps, rows: Floats) -> None:
        """Append rows (n, ...) seen at ``steps`` (n,)."""
        steps, rows = steps[-self._keep :], rows[-self._keep :]
        if self._end + len(steps) > len(self._steps):
            kept = min(self._keep, self._end)
            start = self._end - kept
            self._steps[:kept] = self._steps[start : self._end]
            self._rows[:kept] = self._rows[start : self._end]
            self._end = kept
        self._steps[self._end : self._end + len(steps)] = steps
        self._rows[self._end : self._end + len(rows)] = rows
        self._end += len(steps)

    def forget_from(self, step: int) -> None:
        """Forget this step and all later ones."""
        self._end = int(np.searchsorted(self._steps[: self._end], step))

    def view(self) -> View:
        """Return the rows; each is a stretch of its own."""
        kept = slice(max(0, self._end - self._keep), self._end)
        rows = self._rows[kept]
        return View(self._steps[kept], rows, rows, rows)


class Whole:
    """Keeps a whole run: least, mean and greatest values in stretches that grow with the run.

    When all stretches are in use, pairs of them are joined, so that neither memory nor the cost of
    drawing depends on the length of the run. NaN marks values that were not measured.

    Parameters
    ----------
    shape
        The shape of one row.
    stretches
        The largest number of stretches; even.
    """

    def __init__(self, shape: tuple[int, ...], stretches: int) -> None:
        self._most = stretches
        self._steps = np.zeros(stretches, np.int64)
        self._low = np.zeros((stretches, *shape), np.float32)
        self._mean = np.zeros((stretches, *shape), np.float32)
        self._high = np.zeros((stretches, *shape), np.float32)
        self._used = 0
        self.width = 1
        self._open_steps = np.zeros(0, np.int64)
        self._open = np.zeros((0, *shape), np.float32)

    def add(self, steps: Steps, rows: Floats) -> None:
        """Append rows (n, ...) seen at ``steps`` (n,)."""
        if len(self._open):
            steps = np.concatenate((self._open_steps, steps))
            rows = np.concatenate((self._open, rows))
        while len(rows) >= self.width:
            full = min(len(rows) // self.width, self._most - self._used)
            size = full * self.width
            parts = rows[:size].reshape(full, self.width, *rows.shape[1:])
            used = slice(self._used, self._used + full)
            self._steps[used] = steps[: size : self.width]
            self._low[used] = np.fmin.reduce(parts, axis=1)
            self._mean[used] = parts.mean(axis=1)
            self._high[used] = np.fmax.reduce(parts, axis=1)
            self._used += full
            steps, rows = steps[size:], rows[size:]
            if self._used == self._most:
                self._halve()
        self._open_steps, self._open = steps.copy(), rows.copy()

    def forget_from(self, step: int) -> None:
        """Forget this step, all later ones, and the whole stretch that contains it."""
        starts = self._steps[: self._used]
        self._used = int(np.searchsorted(starts, step - self.width, side="right"))
        kept = self._open_steps < step
        self._open_steps, self._open = self._open_steps[kept], self._open[kept]

    def _halve(self) -> None:
        half = self._most // 2
        self._steps[:half] = self._steps[0::2].copy()
        self._low[:half] = np.fmin(self._low[0::2], self._low[1::2])
        self._mean[:half] = (self._mean[0::2] + self._mean[1::2]) / 2
        self._high[:half] = np.fmax(self._high[0::2], self._high[1::2])
        self._used = half
        self.width *= 2

    def view(self) -> View:
        """Return all stretches; the last one may not be full yet."""
        used = slice(self._used)
        kept = View(self._steps[used], self._low[used], self._mean[used], self._high[used])
        if not len(self._open):
            return kept
        return View(
            np.append(kept.steps, self._open_steps[:1]),
            np.concatenate((kept.low, np.fmin.reduce(self._open)[None])),
            np.concatenate((kept.mean, self._open.mean(axis=0)[None])),
            np.concatenate((kept.high, np.fmax.reduce(self._open)[None])),
        )
