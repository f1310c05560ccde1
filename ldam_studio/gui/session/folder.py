"""The folder in which features keep files of the current session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol, TypeVar

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.gui.session.controller import Controller

T = TypeVar("T")


class SessionFolder(Protocol):
    """Does work in the folder of the current session, one job after the other."""

    def submit(self, job: Callable[[Path], T]) -> Future[T]:
        """Call `job` with the folder of the current session, on a thread."""


class TemporaryFolder:
    """Gives each session a temporary folder, where sessions are not kept.

    Parameters
    ----------
    controller
        Tells when a session is left.
    """

    def __init__(self, controller: Controller) -> None:
        self._jobs = ThreadPoolExecutor(1, "session folder")
        self._folder: TemporaryDirectory[str] | None = None
        self._is_used = False
        controller.opening.connect(lambda _opening: self._renew())

    def submit(self, job: Callable[[Path], T]) -> Future[T]:
        """Call `job` with the folder of the current session, on a thread."""
        self._is_used = True
        return self._jobs.submit(lambda: job(self._made()))

    def close(self) -> None:
        """Wait until all is done, and remove the folder."""
        self._renew()
        self._jobs.shutdown()

    def _renew(self) -> None:
        if self._is_used:
            self._is_used = False
            self._jobs.submit(self._remove)

    def _made(self) -> Path:
        if self._folder is None:
            try:
                self._folder = TemporaryDirectory(prefix="ldam-studio-", ignore_cleanup_errors=True)
            except OSError as error:
                raise StudioError(
                    f"There is no room for temporary files ({error.strerror or error}); free some "
                    "space."
                ) from None
        return Path(self._folder.name)

    def _remove(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()
