"""Saves the running session every few seconds, so that a crash costs no more than that."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ldam_studio.engine.state import snapshot
from ldam_studio.engine.unconfirmed import look_back
from ldam_studio.errors import StudioError, in_short

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.runner import Runner
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.controller import Controller
    from ldam_studio.gui.session.note import Note
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.session.shelf import Place, Shelf

T = TypeVar("T")
EVERY_MS = 4000  # between two saves, so that with the time for writing none is ten seconds old
LEFT_S = 60  # longest wait for the last step of a session that is left


class Autosave(QObject):
    """Keeps the session of a window on the shelf.

    The sampler only takes a snapshot, which shares its tensors; a thread of this object does all
    that takes time, one thing after the other: taking a place on the shelf, copying and writing.

    Parameters
    ----------
    note
        Returns the note about the current session; called on the window's thread.
    """

    failed = pyqtSignal(str)  # why the session cannot be saved; once for each reason
    lost = pyqtSignal()  # the session before was not saved when another one replaced it

    def __init__(
        self,
        controller: Controller,
        shelf: Shelf,
        note: Callable[[], Note],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._shelf, self._note = controller, shelf, note
        self._jobs = ThreadPoolExecutor(1, "autosave")
        self._runner: Runner | None = None
        self._folder: Future[Path | None] = Future()
        self._saving: Future[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.save)
        controller.opening.connect(self._on_opening)
        controller.opened.connect(self._on_opened)
        # Of the thread that writes:
        self._place: Place | None = None
        self._before: Place | None = None  # of the session that is left while another one opens
        self._seen: tuple[Any, ...] = ()  # of the state that was saved last
        self._images: Callable[[], Any] = lambda: None
        self._reason = ""
        self._owner: Runner | None = None  # of the session whose place `_place` is

    # On the window's thread

    def save(self) -> None:
        """Save the session after the current step, unless an earlier save is still going on."""
        if self._saving is not None and not self._saving.done():
            return
        answer = self._controller.ask(snapshot)
        if answer is None:
            return
        note, saved, runner = self._note(), Future[None](), self._runner
        self._saving = saved

        def write(done: Future[SessionState]) -> None:
            # The thread has ended if the window was closed meanwhile.
            with suppress(RuntimeError):
                job = self._jobs.submit(self._write, done, note, runner)
                job.add_done_callback(lambda _: saved.set_result(None))

        answer.add_done_callback(write)

    def end(self, answer: Future[SessionState] | None, unsaved: str, *, for_good: bool) -> str:
        """Save the session for the last time, and end the thread.

        Parameters
        ----------
        answer
            The session as it is left; None if there is none.
        unsaved
            Why it is not saved at its end; empty if it is.
        for_good
            Whether to end also where the session's file cannot be written.

        Returns
        -------
        str
            Why it was not saved; empty if it was.

        Raises
        ------
        StudioError
            If the session's file cannot be written and this is not `for_good`; nothing has ended.
        """
        self._timer.stop()
        if answer is not None and answer.cancelled() and self._runner is not None:
            answer = self._runner.left  # an error has ended the sampler
        if answer is not None or unsaved:
            note = self._note()
            try:
                unsaved = self._jobs.submit(self._finish, answer, note, unsaved).result()
            except StudioError as error:
                if not for_good:
                    raise
                unsaved = str(error)
            self._jobs.submit(self._leave_place)
        self._jobs.submit(self._close_before)
        self._jobs.shutdown()
        return unsaved

    def submit(self, job: Callable[[Path], T]) -> Future[T]:
        """Call `job` with the folder of the current session, on the thread that writes.

        It is done before the session is left.
        """
        return self._jobs.submit(lambda: job(self._taken().folder))

    def _on_opening(self, _opening: Opening) -> None:
        self._timer.stop()
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._jobs.submit(self._put_aside, runner.left, self._note())
        back = self._controller.way_back
        if back is not None and self._folder.done():
            self._controller.way_back = replace(back, kept=self._folder.result())

    def _on_opened(self, opening: Opening) -> None:
        self._runner, self._saving = self._controller.runner, None
        self._folder = self._jobs.submit(self._begin, opening, self._runner)
        self._timer.start()
        self.save()

    # On the thread that writes

    def _begin(self, opening: Opening, runner: Runner | None) -> Path | None:
        """Take the place of a session that goes on, or a new one."""
        self._close_before()
        self._owner = runner
        self._place, self._seen, self._reason = None, (), ""
        try:
            self._place = None if opening.kept is None else self._shelf.take(opening.kept)
            folder = self._taken().folder
        except (StudioError, OSError) as error:
            self._say(error)
            return None
        if opening.unpack is not None:
            try:
                opening.unpack(folder)
            except StudioError as error:
                self.failed.emit(str(error))
        return folder

    def _taken(self) -> Place:
        if self._place is None:
            self._place = self._shelf.begin()
        return self._place

    def _write(self, answer: Future[SessionState], note: Note, runner: Runner | None) -> None:
        if runner is not self._owner:
            return  # the session was left meanwhile, and is saved as it was then
        try:
            state = answer.result(0)
            x = state.lanes[0].chains.x
            seen = (state.step, len(state.log), note)
            # Tensors are replaced by every step, so the same tensor means the same images.
            if seen != self._seen or self._images() is not x:
                self._taken().save(state, note, closed=False)
                self._seen, self._images = seen, weakref.ref(x)
        except CancelledError:
            return  # the session was left
        except Exception as error:
            self._say(error)

    def _put_aside(self, left: Future[SessionState], note: Note) -> None:
        """Save a session as it was left; it is closed once another one is open.

        Until then, a studio that crashes while it opens the other one has lost this one.
        """
        try:
            self._taken().save(_as_left(left), note, closed=False)
        except Exception as error:
            self._say(error)
            self.lost.emit()
        self._before, self._place, self._owner = self._place, None, None

    def _close_before(self) -> None:
        place, self._before = self._before, None
        if place is not None:
            place.close()
            place.leave()

    def _finish(self, left: Future[SessionState] | None, note: Note, unsaved: str) -> str:
        """Save a session as it was left; return why it was not saved.

        Raises
        ------
        StudioError
            If its file cannot be written, which the user may be able to change.
        """
        try:
            place = self._taken()
            if left is not None and not unsaved:
                place.save(_as_left(left), note, closed=True)
            else:
                place.close()
        except StudioError:
            raise
        except Exception as error:
            # The window must close, whatever prevents the session from being written.
            unsaved = str(error) or "the sampler did not answer"
        return unsaved

    def _leave_place(self) -> None:
        if self._place is not None:
            self._place.leave()
        self._place = None

    def _say(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, StudioError) else in_short(error)
        if reason != self._reason:
            self._reason = reason
            self.failed.emit(f"The session is not kept at present: {reason}")


def _as_left(left: Future[SessionState]) -> SessionState:
    """Return a copy of a session that was left, with all of its steps confirmed."""
    state = snapshot(left.result(LEFT_S))
    look_back(state)
    return state
