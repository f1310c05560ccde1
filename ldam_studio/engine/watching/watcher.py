"""Watching a network while it is trained: each new checkpoint is prepared for a running session.

All slow work is done on the watcher's own thread: listing files, reading them, copying the network
and folding it. The result is a network that a running session takes over between two steps (the
change "weights").
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ldam_studio.engine.watching.news import News, Swap
from ldam_studio.engine.watching.reader import CheckpointReader
from ldam_studio.engine.watching.twins import Twins
from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.network import Network
from ldam_studio.networks.weights.checkpoint_folder import Folder, Listing
from ldam_studio.networks.weights.checkpoints import Checkpoint, CheckpointError, Order, Stamp

POLL_S = 0.1
LEAST_POLL_S = 0.005
THOROUGH_S = 0.75  # between two looks at every single file
BUSY_SHARE = 0.2  # share of its time that the watcher may spend on looking at a large folder
MOST_CHECKPOINTS = 50
MOST_WAIT_S = 5.0  # for the thread to end
AGAIN_S = 1.0  # until an unreadable file is read again

EARLIEST: Order = ((), -math.inf, -math.inf, False, 0, "")


@dataclass(frozen=True)
class _Trouble:
    """Why the checkpoint with this stamp cannot be used, and when it is tried again."""

    stamp: Stamp
    sentence: str
    again: float


class Watcher:
    """Watches a folder of checkpoints, or a file that is overwritten, on a thread of its own.

    Methods may be called from any thread; only `close` blocks.

    Parameters
    ----------
    network
        Copies of it get the checkpoints' weights, since a session may be running it.
    place
        The folder or file. It may disappear and come back.
    average
        Number of checkpoints whose mean is used, up to `MOST_CHECKPOINTS`; 0 or 1 for no
        mean.
    on_news, on_swap
        Called on the watcher's thread, with what has changed and with each network that is ready.
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
        # The requests, guarded by the condition.
        self._wake = threading.Condition()
        self._chosen: Path | None = None  # None: the newest
        self._average = _checked(average)
        self._woken = self._closed = False
        # Used by the thread only.
        self._news = News()
        self._listing = Listing((), {})
        self._notice = self._failure = ""
        self._looks = 0
        self._due = 0.0  # when every single file is looked at again
        self._arrivals: dict[Path, tuple[Stamp, int]] = {}  # stamp, first look that saw it
        self._troubles: dict[Path, _Trouble] = {}
        self._done: tuple[Checkpoint, int] | None = None  # handed over, with its `average`
        self._reached = (-1, EARLIEST)  # the rank of what was handed over
        self._reader = CheckpointReader(network)
        self._twins = Twins(self._reader.read)
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def news(self) -> News:
        """The last news."""
        return self._news

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the thread to end; no callback is called after this returns.

        A drive that does not answer may hold the thread up for ever; then it is left behind, and
        what it reads is ignored.
        """
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(MOST_WAIT_S)

    def follow(self) -> None:
        """Hand over the newest checkpoint, and from now on each new one."""
        self._choose(None)

    def show(self, checkpoint: Checkpoint) -> None:
        """Hand over this checkpoint, and do not follow newer ones."""
        self._choose(checkpoint.path)

    def set_average(self, checkpoints: int) -> None:
        """Use the mean of this many last checkpoints; 0 or 1 uses each by itself."""
        with self._wake:
            self._average, self._woken = _checked(checkpoints), True
            self._wake.notify_all()

    def _choose(self, path: Path | None) -> None:
        with self._wake:
            self._chosen, self._woken = path, True
            self._wake.notify_all()

    # The following methods run on the watcher's own thread.

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
                if self._twins.compare_next():
                    self._tell(chosen)
                self._failed(chosen, "")
            except Exception as error:
                # No file may end the thread, since nothing would show that watching had stopped.
                busy = time.monotonic() - started
                self._failed(chosen, f"Watching failed ({in_short(error)}); it is tried again.")
            with self._wake:
                if not self._woken and not self._closed:
                    pause = min(POLL_S, self._folder.waits_s)
                    self._wake.wait(max(LEAST_POLL_S, pause, busy / BUSY_SHARE))

    def _failed(self, chosen: Path | None, sentence: str) -> None:
        """Remember what went wrong in this round, if anything, and tell if that has changed."""
        if sentence != self._failure:
            self._failure = sentence
            self._tell(chosen)

    def _look(self, chosen: Path | None, *, thorough: bool) -> None:
        """List the checkpoints, and tell if they have changed."""
        try:
            self._listing = self._folder.look(thorough=thorough)
        except StudioError as error:
            self._notice = str(error)
            self._tell(chosen)
            return
        if thorough:
            self._due = time.monotonic() + THOROUGH_S
        self._notice = ""
        self._twins.see(self._listing.checkpoints)
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
        """Reject a checkpoint of another network at once, without reading its weights."""
        try:
            self._reader.check_shapes(checkpoint)
        except CheckpointError as error:
            self._note(checkpoint, error)

    def _serve(self, chosen: Path | None, average: int) -> None:
        """Hand over the requested checkpoint, unless that has been done already."""
        # While the place is missing, the request waits for its return.
        while not (self._woken or self._closed or self._notice):
            checkpoint = self._wanted(chosen)
            if checkpoint is None or (checkpoint, average) == self._done:
                return
            try:
                swap = self._take(checkpoint, average)
            except CheckpointError as error:
                if error.kind == "changed":  # the next look will see the new file
                    return
                self._note(checkpoint, error)
                self._tell(chosen)
                continue
            self._done, self._reached = (checkpoint, average), self._rank(checkpoint)
            self._tell(chosen)
            if not self._closed:
                self._on_swap(swap)

    def _wanted(self, chosen: Path | None) -> Checkpoint | None:
        """Return the checkpoint to hand over: the chosen one, or the newest that can be used.

        Of two with the same weights it is the one that is not overwritten by the next.
        """
        good = [c for c in self._listing.checkpoints if not self._is_bad(c)]
        if chosen is not None:
            wanted = next((checkpoint for checkpoint in good if checkpoint.path == chosen), None)
        else:
            wanted = max(good, key=self._rank, default=None)
            # A checkpoint that is deleted after it was shown is not replaced by an older one.
            if wanted is not None and self._rank(wanted) < self._reached:
                return None
        if wanted is None:
            return None
        self._twins.compare(wanted)
        return self._twins.of(wanted)

    def _rank(self, checkpoint: Checkpoint) -> tuple[int, Order]:
        """Return a key that sorts by arrival, then by the checkpoints' own order."""
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
        """Yield up to `count` readable checkpoints of the training, from this one backwards."""
        last, found = checkpoint, 0
        single = self._twins.single(self._listing).checkpoints
        for candidate in sorted(single, key=self._rank, reverse=True):
            if self._rank(candidate) > self._rank(checkpoint):
                continue
            if found == count or _is_further(candidate, last):
                return
            last = candidate
            if candidate is not checkpoint and self._is_bad(candidate):
                continue
            try:
                self._reader.read(candidate)  # the reader remembers it for the caller
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
        """Record that a checkpoint cannot be used; temporary problems are tried again later."""
        again = time.monotonic() + AGAIN_S if error.kind == "gone" else math.inf
        self._troubles[checkpoint.path] = _Trouble(checkpoint.stamp, str(error), again)

    def _is_bad(self, checkpoint: Checkpoint) -> bool:
        trouble = self._troubles.get(checkpoint.path)
        return trouble is not None and time.monotonic() < trouble.again

    def _tell(self, chosen: Path | None) -> None:
        troubles = {path: trouble.sentence for path, trouble in self._troubles.items()}
        if chosen is not None and chosen not in self._arrivals:
            troubles[chosen] = f"The checkpoint {chosen} is no longer there; choose another."
        single = self._twins.single(self._listing)
        news = News(
            single.checkpoints,
            single.skipped,
            troubles,
            self._notice or self._failure,
            single.growing,
            single.others,
            None if self._done is None else self._done[0],
            chosen is None,
        )
        if news != self._news and not self._closed:
            self._news = news
            self._on_news(news)


def _is_further(one: Checkpoint, other: Checkpoint) -> bool:
    """Return whether one checkpoint is of a later epoch, or of a later step of the same."""
    for this, that in ((one.epoch, other.epoch), (one.step, other.step)):
        if this is not None and that is not None and this != that:
            return this > that
    return False


def _checked(average: int) -> int:
    if not 0 <= average <= MOST_CHECKPOINTS:
        raise StudioError(
            f"The mean is taken over 0 to {MOST_CHECKPOINTS} checkpoints, not {average}."
        )
    return average
