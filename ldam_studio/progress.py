"""Telling how far long work is, and stopping it, from anywhere inside the work.

Work says with `tell` what it does; it need not know who listens. A `Listener` hears that on the
thread that it is `heard_on`, and can stop the work from another one.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class Stopped(BaseException):
    """The work was stopped because nobody wants its result any more.

    It is no `Exception`, so that work which tries something else after an error stops, too.
    """


@dataclass(frozen=True)
class Stage:
    """What work does at the moment, such as "building"; `done` of `total` parts, if known."""

    doing: str
    done: int = 0
    total: int = 0


LONG_S = 2.0
"""Seconds after which it is said how long work has taken, or will take."""


AGAIN_S = 0.5
"""Seconds after which code that was stopped and goes on is stopped again."""


def per_minute(done: int, seconds: float) -> str:
    """Return a rate in words, such as "1,204 a minute" or "3.5 a minute"."""
    rate = done / seconds * 60
    return f"{rate:,.0f} a minute" if rate >= 10 else f"{rate:.2g} a minute"


class StageWords:
    """Puts stages into words, with the time that they take.

    Parameters
    ----------
    clock
        Returns seconds from a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage: Stage | None = None
        self._begun, self._before = 0.0, 0

    def of(self, stage: Stage) -> str:
        """Return a stage in words, such as "looking for layers: 30 of 139, about 8 s left"."""
        if self._stage is None or self._stage.doing != stage.doing:
            # Work may come back to a stage, or begin in its midst.
            self._begun, self._before = self._clock(), stage.done
        self._stage = stage
        return self.now()

    def now(self) -> str:
        """Return the last stage in words; empty before the first one."""
        stage, seconds = self._stage, self._clock() - self._begun
        if stage is None:
            return ""
        if not stage.total:
            return stage.doing + (f", for {seconds:.0f} s" if seconds > LONG_S else "")
        words = f"{stage.doing}: {stage.done:,} of {stage.total:,}"
        since = stage.done - self._before
        if seconds <= LONG_S or since <= 0:
            return words
        left = seconds / since * (stage.total - stage.done)
        if left < 120:
            return f"{words}, about {max(1.0, left):.0f} s left"
        return f"{words}, about {left / 60:,.0f} min left"


class Listener:
    """Hears what work does, and stops it.

    Parameters
    ----------
    on_stage
        Called on the thread of the work with each `Stage`.
    """

    def __init__(self, on_stage: Callable[[Stage], object]) -> None:
        self._on_stage = on_stage
        self._lock = threading.Lock()
        self._stopped = False
        self._thread: int | None = None  # in code that never calls `tell`
        self._again: threading.Timer | None = None

    def hear(self, stage: Stage) -> None:
        """Pass a stage on; raises `Stopped` if the work is to end."""
        if self._stopped:
            raise Stopped
        self._on_stage(stage)

    def stop(self) -> None:
        """Ask the work to end: at the next `tell`, or in the midst of a person's code.

        That is asked for again while the code goes on, because an exception is lost where Python
        ignores all, such as in ``__del__``, and because the code may catch it.
        """
        with self._lock:
            self._stopped = True
            if self._thread is not None:
                _raise_in(self._thread, Stopped)
                if self._again is not None:
                    self._again.cancel()
                self._again = threading.Timer(AGAIN_S, self.stop)
                self._again.daemon = True
                self._again.start()

    @contextmanager
    def heard_on(self) -> Iterator[None]:
        """Listen to the work that this thread does in the context."""
        token = _LISTENER.set(self)
        try:
            yield
        finally:
            _LISTENER.reset(token)

    @contextmanager
    def in_code(self) -> Iterator[None]:
        """Let `stop` raise `Stopped` between any two instructions of this thread's Python code."""
        with self._lock:
            if self._stopped:
                raise Stopped
            self._thread = threading.get_ident()
        try:
            yield
        finally:
            while not self._leave_code():
                pass

    def _leave_code(self) -> bool:
        """Take back an exception that has not been raised yet; False if it was raised just now."""
        try:
            with self._lock:
                if self._thread is not None:
                    _raise_in(self._thread, None)
                    self._thread = None
                if self._again is not None:
                    self._again.cancel()
                    self._again = None
        except Stopped:
            return False
        return True


_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def is_heard() -> bool:
    """Return whether somebody listens to this thread's work."""
    return _LISTENER.get() is not None


def tell(doing: str, done: int = 0, total: int = 0) -> None:
    """Say what this thread's work does now; raises `Stopped` if it is to end."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.hear(Stage(doing, done, total))


@contextmanager
def in_persons_code() -> Iterator[None]:
    """Mark code that does not call `tell`: it can be stopped between any two instructions."""
    listener = _LISTENER.get()
    if listener is None:
        yield
        return
    with listener.in_code():
        yield


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an exception in another thread; None takes back one that was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
