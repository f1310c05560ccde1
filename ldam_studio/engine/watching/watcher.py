"""Looking at a network while it learns: each new checkpoint is made ready to be swapped in.

All that takes time is done on the watcher's own thread: listing, reading, copying the network and
folding it. What it hands over is a network that a running session takes between two steps (the
change "weights").
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ldam_studio.engine.watching.reader import CheckpointReader, has_diverged
from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import Options, open_network
from ldam_studio.networks.weights.checkpoints import (
    Checkpoint,
    CheckpointError,
    Folder,
    Listing,
    Stamp,
)

POLL_S = 0.1
LEAST_POLL_S = 0.005
THOROUGH_S = 0.75  # between two looks at each file
BUSY_SHARE = 0.2  # of its time that the watcher may spend on looking at a large folder
MOST_AVERAGED = 50
TRIED = 5  # checkpoints that are no network's to watch, before no other is tried
AGAIN_S = 1.0  # until what could not be read is read again

Order = tuple[float, float, int, str]
EARLIEST: Order = (-math.inf, -math.inf, 0, "")


@dataclass(frozen=True)
class News:
    """What is known of the place that is watched.

    Attributes
    ----------
    checkpoints
        Complete ones, in order.
    skipped
        Other files, with half a sentence about why they are passed over.
    troubles
        Complete checkpoints that cannot be looked at, with a sentence each.
    notice
        A sentence about the place as a whole; empty while all is well.
    shown
        The checkpoint that was handed over last.
    following
        Whether new checkpoints are handed over by themselves.
    """

    checkpoints: tuple[Checkpoint, ...] = ()
    skipped: Mapping[Path, str] = field(default_factory=dict)
    troubles: Mapping[Path, str] = field(default_factory=dict)
    notice: str = ""
    shown: Checkpoint | None = None
    following: bool = True


@dataclass(frozen=True)
class _Trouble:
    """Why a checkpoint of that stamp cannot be looked at, and when it is tried again."""

    stamp: Stamp
    sentence: str
    again: float


@dataclass(frozen=True)
class Swap:
    """A network to go on with: the weights of a `checkpoint`, or the mean of those `averaged`.

    `seconds` were spent from the wish for it until it was ready.
    """

    checkpoint: Checkpoint
    network: Network
    averaged: tuple[Checkpoint, ...]
    seconds: float


class Watcher:
    """Watches a folder of checkpoints, or a file that is written anew, on a thread of its own.

    Methods may be called from any thread and do not wait for anything, `close` excepted.

    Parameters
    ----------
    network
        Gets the checkpoints' weights, in copies: a session may be running it.
    place
        The folder or file. It may disappear and come back.
    average
        Checkpoints whose mean is looked at, up to `MOST_AVERAGED`; 0 or 1 for none.
    on_news, on_swap
        Called on the watcher's thread: with what has changed, and with each network to look at.
    """

    def __init__(
        self,
        network: Network,
        place: Path,
        *,
        average: int = 0,
        on_news: Callable[[News], None],
        on_swap: Callable[[Swap], None],
    ) -> None:
        self._folder = Folder(place.absolute())
        self._network, self._on_news, self._on_swap = network, on_news, on_swap
        # What is wished for, guarded by the condition.
        self._wake = threading.Condition()
        self._chosen: Path | None = None  # None: the newest
        self._average = _checked(average)
        self._woken = self._closed = False
        # The thread's own.
        self._news = News()
        self._listing = Listing((), {})
        self._notice = self._failure = ""
        self._looks = 0
        self._due = 0.0  # when each file is to be looked at again
        self._arrivals: dict[Path, tuple[Stamp, int]] = {}  # the look that first saw it so
        self._troubles: dict[Path, _Trouble] = {}
        self._done: tuple[Checkpoint, int] | None = None  # handed over, averaged over so many
        self._reached = (-1, EARLIEST)  # the rank of what was handed over
        self._reader = CheckpointReader(network)
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def news(self) -> News:
        """What was told last."""
        return self._news

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End after what is under way; nothing is called back after this returns."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def follow(self) -> None:
        """Hand over the newest checkpoint, and from now on each that comes."""
        self._choose(None)

    def show(self, checkpoint: Checkpoint) -> None:
        """Hand over this checkpoint and stay there."""
        self._choose(checkpoint.path)

    def set_average(self, checkpoints: int) -> None:
        """Look at the mean of the last so many checkpoints; 0 or 1 for each by itself."""
        with self._wake:
            self._average, self._woken = _checked(checkpoints), True
            self._wake.notify_all()

    def _choose(self, path: Path | None) -> None:
        with self._wake:
            self._chosen, self._woken = path, True
            self._wake.notify_all()

    # On the watcher's own thread

    def _run(self) -> None:
        # The sampler and the window need the other cores.
        torch.set_num_threads(1)
        while not self._closed:
            with self._wake:
                self._woken = False
                chosen, average = self._chosen, self._average
            started = time.monotonic()
            try:
                self._look(chosen, thorough=started >= self._due)
                busy = time.monotonic() - started
                self._serve(chosen, average)
                self._failed(chosen, "")
            except Exception as error:
                # Whatever a file may hold: a thread that has ended would watch nothing, unseen.
                busy = time.monotonic() - started
                self._failed(chosen, f"Watching failed ({in_short(error)}); it is tried again.")
            with self._wake:
                if not self._woken and not self._closed:
                    pause = min(POLL_S, self._folder.waits_s)
                    self._wake.wait(max(LEAST_POLL_S, pause, busy / BUSY_SHARE))

    def _failed(self, chosen: Path | None, sentence: str) -> None:
        """Remember what went wrong in this round, if anything did, and tell of a change."""
        if sentence != self._failure:
            self._failure = sentence
            self._tell(chosen)

    def _look(self, chosen: Path | None, *, thorough: bool) -> None:
        """List what is there, and tell of it if it has changed."""
        try:
            self._listing = self._folder.look(thorough=thorough)
        except StudioError as error:
            self._notice = str(error)
            self._tell(chosen)
            return
        if thorough:
            self._due = time.monotonic() + THOROUGH_S
        self._notice = ""
        before, self._arrivals = self._arrivals, {}
        for checkpoint in self._listing.checkpoints:
            known = before.get(checkpoint.path)
            if known is None or known[0] != checkpoint.stamp:
                known = (checkpoint.stamp, self._looks)
                self._see_shapes(checkpoint)
            self._arrivals[checkpoint.path] = known
        self._looks += 1
        self._troubles = {
            path: trouble
            for path, trouble in self._troubles.items()
            if path in self._arrivals and self._arrivals[path][0] == trouble.stamp
        }
        self._tell(chosen)

    def _see_shapes(self, checkpoint: Checkpoint) -> None:
        """Pass over a checkpoint of another network at once, rather than when it is looked at."""
        try:
            self._reader.check_shapes(checkpoint)
        except CheckpointError as error:
            self._note(checkpoint, error)

    def _serve(self, chosen: Path | None, average: int) -> None:
        """Hand over the checkpoint that is wished for, if it is not the one that was."""
        # While the place is away, what is wished for waits for its return.
        while not (self._woken or self._closed or self._notice):
            checkpoint = self._wanted(chosen)
            if checkpoint is None or (checkpoint, average) == self._done:
                return
            try:
                swap = self._take(checkpoint, average)
            except CheckpointError as error:
                if error.kind == "changed":  # as the next look will see
                    return
                self._note(checkpoint, error)
                self._tell(chosen)
                continue
            self._done, self._reached = (checkpoint, average), self._rank(checkpoint)
            self._tell(chosen)
            if not self._closed:
                self._on_swap(swap)

    def _wanted(self, chosen: Path | None) -> Checkpoint | None:
        """Return the checkpoint to look at: the chosen one, or the newest that will do."""
        good = [c for c in self._listing.checkpoints if not self._is_bad(c)]
        if chosen is not None:
            return next((checkpoint for checkpoint in good if checkpoint.path == chosen), None)
        newest = max(good, key=self._rank, default=None)
        # What was deleted after it had been shown is not replaced by what came before it.
        return newest if newest is not None and self._rank(newest) >= self._reached else None

    def _rank(self, checkpoint: Checkpoint) -> tuple[int, Order]:
        """Sort by arrival, and what arrived together in its order."""
        return (self._arrivals[checkpoint.path][1], checkpoint.order)

    def _take(self, checkpoint: Checkpoint, average: int) -> Swap:
        started = time.monotonic()
        parts: list[Checkpoint] = []

        def noted() -> Iterator[Checkpoint]:
            for part in self._readable(checkpoint, max(1, average)):
                parts.insert(0, part)
                yield part

        network = self._reader.network(noted())
        return Swap(checkpoint, network, tuple(parts), time.monotonic() - started)

    def _readable(self, checkpoint: Checkpoint, count: int) -> Iterator[Checkpoint]:
        """Yield the last `count` checkpoints of a training that can be read, from this one back."""
        last, found = checkpoint, 0
        for candidate in sorted(self._listing.checkpoints, key=self._rank, reverse=True):
            if self._rank(candidate) > self._rank(checkpoint):
                continue
            if found == count or _is_further(candidate, last):
                return
            last = candidate
            if candidate is not checkpoint and self._is_bad(candidate):
                continue
            try:
                self._reader.read(candidate)  # which remembers it for whom it is yielded to
            except CheckpointError as error:
                if candidate is checkpoint:
                    raise
                if error.kind != "changed":
                    self._note(candidate, error)
                continue
            self._troubles.pop(candidate.path, None)
            found += 1
            yield candidate

    def _note(self, checkpoint: Checkpoint, error: CheckpointError) -> None:
        """Remember that a checkpoint cannot be looked at: for ever, or where that may pass, not."""
        again = time.monotonic() + AGAIN_S if error.kind == "gone" else math.inf
        self._troubles[checkpoint.path] = _Trouble(checkpoint.stamp, str(error), again)

    def _is_bad(self, checkpoint: Checkpoint) -> bool:
        trouble = self._troubles.get(checkpoint.path)
        return trouble is not None and time.monotonic() < trouble.again

    def _tell(self, chosen: Path | None) -> None:
        troubles = {path: trouble.sentence for path, trouble in self._troubles.items()}
        if chosen is not None and chosen not in self._arrivals:
            troubles[chosen] = f"The checkpoint {chosen} is no longer there; choose another."
        news = News(
            self._listing.checkpoints,
            self._listing.skipped,
            troubles,
            self._notice or self._failure,
            None if self._done is None else self._done[0],
            chosen is None,
        )
        if news != self._news and not self._closed:
            self._news = news
            self._on_news(news)


def open_watched(
    name: str, place: Path, options: Options | None = None, weights: Path | None = None
) -> Network:
    """Open a network to watch the checkpoints at a place with.

    Its weights are those of the newest checkpoint that has not diverged, which also tell the number
    of classes; else, and where all of the `TRIED` newest have diverged, those of `weights`; without
    either it is untrained.

    Raises
    ------
    StudioError
        If the place cannot be read, or there is no such network, or none of the newest checkpoints
        is one of its own.
    """
    options = options or Options()
    failed: list[StudioError] = []
    # Also what is being written, if it looks complete: the watcher hands it over when it is.
    folder = Folder(place.absolute(), now=lambda: math.inf)
    for checkpoint in folder.look().checkpoints[: -TRIED - 1 : -1]:
        try:
            if not has_diverged(checkpoint):
                return open_network(name, checkpoint.path, options)
        except StudioError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return open_network(name, weights, replace(options, untrained=True))


def _is_further(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether one checkpoint is of a later step than the other, or epoch where no step is known."""
    for this, that in ((one.step, other.step), (one.epoch, other.epoch)):
        if this is not None and that is not None:
            return this > that
    return False


def _checked(average: int) -> int:
    if not 0 <= average <= MOST_AVERAGED:
        raise StudioError(
            f"The mean is taken over 0 to {MOST_AVERAGED} checkpoints, not {average}."
        )
    return average
