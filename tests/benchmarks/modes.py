"""How much processor time it takes to group the averages of very many chains into modes."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch
from row import Row

from ldam_studio.explore.modes.features import edges
from ldam_studio.explore.modes.regrouping import Task, grouped
from ldam_studio.training.data import load_digits_sheet

CHAINS = 1000
SHAPE = (3, 224, 224)
IMAGES = 20
TIMES = 7


def measure() -> list[Row]:
    """Reduce 1,000 averages of 3 x 224 x 224, in parts, and group them again and again."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(IMAGES, 3, 14, 14, generator=generator)
    images = torch.nn.functional.interpolate(coarse, SHAPE[1:], mode="bilinear")
    parts, spent = [], 0.0
    for _ in range(CHAINS // IMAGES):
        averages = images + 0.3 * torch.randn(images.shape, generator=generator)
        started = time.process_time()
        parts.append(edges(averages).numpy())
        spent += time.process_time() - started
    directions = np.concatenate(parts)
    others = np.random.default_rng(0).normal(size=directions.shape).astype(np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    return [
        Row(
            f"{CHAINS:,} averages of 224 x 224 in {IMAGES} modes regrouped, ms",
            _regrouped(directions, IMAGES),
            "<= 200",
        ),
        Row(f"the same in {CHAINS:,} modes, ms", _regrouped(others, CHAINS), "<= 200"),
        *_likeness(),
        Row("reducing one of these averages, ms", 1000 * spent / CHAINS),
    ]


def _regrouped(directions: np.ndarray, modes: int) -> float:
    """Return the median of the milliseconds that grouping again takes."""
    numbers, took = tuple(range(CHAINS)), []
    found = grouped(Task("fc:0", "pixels", numbers, directions, {}, 1))
    assert len(set(found.modes.values())) == modes
    for _ in range(TIMES):
        started = time.process_time()
        again = grouped(Task("fc:0", "pixels", numbers, directions, found.modes, found.fresh))
        took.append(time.process_time() - started)
        assert again.modes == found.modes
    return 1000 * median(took)


def _likeness() -> list[Row]:
    """Return how alike digits are by their pixels, on both sides of the threshold."""
    sheet = load_digits_sheet()
    shown = (sheet.images.float().reshape(-1, 1, 28, 28) / 255)[::2]
    labels, here = sheet.labels[::2], edges(shown)
    moved = torch.cat([(here * edges(shown.roll(by, (2, 3)))).sum(1) for by in ((0, 1), (1, 0))])
    others = (here @ here.T)[labels[:, None] != labels[None]][::20]
    return [
        Row("cosine of digits moved by a pixel, 5th percentile", float(moved.quantile(0.05))),
        Row("cosine of different digits, 95th percentile", float(others.quantile(0.95))),
    ]
