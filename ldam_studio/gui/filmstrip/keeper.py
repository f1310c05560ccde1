"""Does what takes time with the files of the filmstrip, on the thread of the session's folder."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from PyQt6.QtCore import QObject, Qt, pyqtSignal

from ldam_studio.errors import StudioError, in_short
from ldam_studio.export.filmstrip.folder import Filmstrip

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.gui.studio import Studio

T = TypeVar("T")
Failing = Callable[[str], object]


class Keeper(QObject):
    """Passes work on, in order, and what comes of it back to the window's thread.

    Nothing comes back of a session that was left meanwhile.
    """

    failed = pyqtSignal(str)  # why something could not be done, unless its caller takes that
    _ended = pyqtSignal(object)

    def __init__(self, studio: Studio, parent: QObject) -> None:
        super().__init__(parent)
        self._studio = studio
        self._session = 0
        self._waiting: set[Future[Any]] = set()
        # Queued, since a job may have ended before its caller has.
        queued = Qt.ConnectionType.QueuedConnection
        self._ended.connect(lambda act: act(), queued)  # type: ignore[call-arg]
        studio.controller.opening.connect(self.leave)

    @property
    def waiting(self) -> int:
        """How many jobs have not ended."""
        return len(self._waiting)

    def do(
        self,
        job: Callable[[Filmstrip], T],
        then: Callable[[T], object] = lambda _: None,
        otherwise: Failing | None = None,
    ) -> None:
        """Call `job`, then on the window's thread `then` with its result, or `otherwise`.

        `otherwise` gets a sentence; without it, `failed` is emitted.
        """

        def work(folder: Path) -> T:
            return job(Filmstrip(folder))

        with suppress(RuntimeError):  # the window is closed
            future = self._studio.session_folder.submit(work)
            self._waiting.add(future)
            take = partial(self._take, self._session, then=then, otherwise=otherwise)
            future.add_done_callback(partial(self._pass_on, take))

    def _pass_on(self, take: Callable[[Future[Any]], object], future: Future[Any]) -> None:
        with suppress(RuntimeError):  # the window is gone
            self._ended.emit(partial(take, future))

    def _take(
        self,
        session: int,
        future: Future[Any],
        then: Callable[[Any], object],
        otherwise: Failing | None,
    ) -> None:
        self._waiting.discard(future)
        if session != self._session:
            return
        error = future.exception()
        if error is None:
            then(future.result())
            return
        (otherwise or self.failed.emit)(
            str(error) if isinstance(error, StudioError) else in_short(error)
        )

    def leave(self) -> None:
        """Let nothing come back of what was passed on; it is still done."""
        self._session += 1
        self._waiting.clear()
