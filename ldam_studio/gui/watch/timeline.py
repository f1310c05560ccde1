"""The data of a watched training: what is watched, and its timeline. No widgets in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ldam_studio.engine.watching.news import News
    from ldam_studio.networks.weights.checkpoints import Checkpoint

Values = NDArray[np.float64]
SCALES = {"linear": "By step", "log": "By log step", "count": "Evenly"}
"""How checkpoints lie on the timeline, and the words for it."""
MOST_SAID = 3  # files that a sentence names


@dataclass(frozen=True)
class Plan:
    """What to watch.

    Parameters
    ----------
    place
        A folder of checkpoints, or one file.
    average
        Number of checkpoints whose mean is shown; 0 or 1 shows single checkpoints.
    rounds
        Number of rounds that the discriminator learns after each checkpoint.
    own
        Whether the studio has started the training.
    """

    place: Path
    average: int = 0
    rounds: int = 0
    own: bool = False

    @property
    def title(self) -> str:
        """A title for what is watched."""
        return "MNIST being learnt" if self.own else f"Checkpoints in {self.place.name}"


@dataclass(frozen=True)
class Timeline:
    """Checkpoints in order, with their positions on the timeline.

    Attributes
    ----------
    checkpoints
        The checkpoints, the oldest first.
    troubles
        Why a checkpoint cannot be shown, by its file.
    places
        Positions from 0 (first) to 1 (last), of shape (n,), on one of `SCALES`: proportional to the
        steps, or else the epochs, or to their logarithms, or at equal distances. These are equal on
        all scales if neither increases throughout, as in a folder with two runs.
    loss, accuracy
        Values of shape (n,), NaN where unknown.
    """

    checkpoints: tuple[Checkpoint, ...] = ()
    troubles: Mapping[Path, str] = field(default_factory=dict)
    places: Values = field(default_factory=lambda: np.zeros(0))
    loss: Values = field(default_factory=lambda: np.zeros(0))
    accuracy: Values = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, checkpoints: Sequence[Checkpoint], troubles: Mapping[Path, str]) -> Timeline:
        """Return the timeline of some checkpoints."""
        return cls(
            tuple(checkpoints),
            dict(troubles),
            _places(checkpoints),
            _values([c.loss for c in checkpoints]),
            _values([c.accuracy for c in checkpoints]),
        )

    def scaled(self, scale: str) -> Timeline:
        """Return the timeline on one of `SCALES`."""
        return replace(self, places=_places(self.checkpoints, scale))

    def __len__(self) -> int:
        return len(self.checkpoints)

    def index(self, path: Path | None) -> int | None:
        """Return the index of a file's checkpoint; None if there is none."""
        return None if path is None else self._numbers.get(path)

    def following(self, index: int | None) -> int | None:
        """Return the index of the next checkpoint that can be shown; None if there is none.

        `index` is the current checkpoint, or None to find the first.
        """
        places = range(0 if index is None else index + 1, len(self))
        good = (at for at in places if self.checkpoints[at].path not in self.troubles)
        return next(good, None)

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """For each checkpoint, the number of those up to it that can be shown, of shape (n,)."""
        return np.cumsum([c.path not in self.troubles for c in self.checkpoints], dtype=np.int64)

    def count(self, index: int | None = None) -> str:
        """Return how many checkpoints can be shown, as "12", or as "3 of 12" with an index."""
        whole = int(self.shown[-1]) if len(self) else 0
        if index is None or self.checkpoints[index].path in self.troubles:
            return f"{whole:,}"
        return f"{self.shown[index]:,} of {whole:,}"

    def words(self) -> str:
        """Return how many checkpoints can be shown, such as "12 checkpoints"."""
        return f"{self.count()} checkpoint{'' if self.count() == '1' else 's'}"

    @cached_property
    def _numbers(self) -> dict[Path, int]:
        return {checkpoint.path: number for number, checkpoint in enumerate(self.checkpoints)}

    def nearest(self, place: float) -> int:
        """Return the index of the checkpoint nearest to a position; there must be one."""
        return int(np.abs(self.places - place).argmin())


def empty_words(place: Path, news: News) -> str:
    """Return what stands in the place of the timeline while there is no checkpoint to show."""
    if news.growing:
        return f"{news.growing[0].name} is still being written"
    if news.checkpoints or not (news.skipped or news.others):
        return f"Waiting for the first checkpoint in {place}"
    said = [f"{path.name} {why}" for path, why in sorted(news.skipped.items())]
    more = len(said) - MOST_SAID
    words = "; ".join(said[:MOST_SAID]) + (f"; and {more:,} more" if more > 0 else "")
    kinds = sorted({path.suffix.lower() or path.name for path in news.others})
    if news.others:
        what = ", ".join(kinds[:MOST_SAID]) + (", …" if len(kinds) > MOST_SAID else "")
        files = "file" if len(news.others) == 1 else "files"
        words += f"{'; ' if words else ''}{len(news.others):,} other {files} ({what})"
    return f"No checkpoint in {place} yet: {words}"


def _values(known: Sequence[float | None]) -> Values:
    return np.array([np.nan if value is None else value for value in known], np.float64)


def _places(checkpoints: Sequence[Checkpoint], scale: str = "linear") -> Values:
    count = len(checkpoints)
    at = np.arange(count, dtype=np.float64)
    for known in ([c.step for c in checkpoints], [c.epoch for c in checkpoints]):
        values = _values(known)
        if np.isfinite(values).all() and (np.diff(values) > 0).all():
            at = _on(scale, values) if count > 1 else values
            break
    if count < 2:
        return np.ones(count)
    places: Values = (at - at[0]) / (at[-1] - at[0])
    return places


def _on(scale: str, values: Values) -> Values:
    """Return at least two increasing values on one of `SCALES`."""
    if scale == "count":
        return np.arange(len(values), dtype=np.float64)
    if scale == "linear":
        return values
    if values[0] <= 0:
        # The first distance is then that of a doubling.
        values = values - values[0] + (values[1] - values[0])
    logarithms: Values = np.log(values)
    return logarithms


def facts_of(checkpoint: Checkpoint) -> dict[str, str]:
    """Return what is known about a checkpoint, as texts by name; else the name of its file."""
    facts = {}
    if checkpoint.epoch is not None:
        facts["epoch"] = f"epoch {checkpoint.epoch:.4g}"
    if checkpoint.step is not None:
        facts["step"] = f"step {checkpoint.step:,}"
    if checkpoint.loss is not None:
        facts["loss"] = f"loss {checkpoint.loss:.4g}"
    if checkpoint.accuracy is not None:
        facts["accuracy"] = f"accuracy {_share(checkpoint.accuracy)}"
    return facts or {"file": checkpoint.path.name}


def words_of(checkpoint: Checkpoint) -> str:
    """Return what is known about a checkpoint in one line."""
    return " · ".join(facts_of(checkpoint).values())


def _share(value: float) -> str:
    # An accuracy from a file's name may already be in percent.
    return f"{100 * value if value <= 1 else value:.2f} %"
