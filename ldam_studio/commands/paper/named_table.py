"""The table of ``paper named``, with a line for each row, kind of frame and judge."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ldam_studio.analysis.class_splits import RULE
from ldam_studio.analysis.intervals import Interval
from ldam_studio.analysis.named import Row

HEAD = (
    f"{'pictures':30} {'steps':>6} {'s each':>7}  {'frames':9} {'judge':14} {'top 1 %':15} "
    f"{'top 5 %':15} {'pixels':>6} {'features':>8}"
)
WIDTH = 100
LEGEND = (
    "s each: {clock} per picture. top 1, top 5: share of the pictures whose class is the "
    "judge's first guess or among its first five, with Wilson's 95 % interval for pictures grouped "
    "by class. pixels, features: mean cosine between two pictures of a class, of pixels from the "
    "rest colour and of the judge's last features. averaged: mean over the last half of a run."
)


def notes(classes: int, seeds: int, split: str, clock: str) -> list[str]:
    """Return the lines above the table, which describe the pictures and the columns.

    `clock` says in words which time is measured.
    """
    texts = (
        f"{classes} classes of the split {split} x {seeds} seeds = {classes * seeds} pictures in "
        f"each row that was drawn. {RULE[0].upper()}{RULE[1:]}.",
        LEGEND.format(clock=clock),
    )
    return [line for text in texts for line in textwrap.wrap(text, WIDTH)]


def lines(row: Row) -> Iterator[str]:
    """Yield the lines of a row."""
    steps = "" if row.steps is None else str(row.steps)
    seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
    asked = "" if row.asked_seconds is None else f" in {row.asked_seconds:g} s"
    for seen in row.seen:
        for named in seen.named:
            yield (
                f"{row.name + asked:30} {steps:>6} {seconds:>7}  {seen.frames:9} "
                f"{named.judge.rpartition(':')[2]:14} {_share(named.first):15} "
                f"{_share(named.first_five):15} {_cosine(seen.likeness):>6} "
                f"{_cosine(named.likeness):>8}"
            )


def _share(share: Interval) -> str:
    low, high = share.low * 100, share.high * 100
    return f"{share.value * 100:3.0f} ({low:.0f} to {high:.0f})"


def _cosine(value: float) -> str:
    return f"{value:.2f}" if value == value else "-"
