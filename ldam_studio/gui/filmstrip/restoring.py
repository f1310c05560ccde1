"""Goes back to a pinned moment, as far as the session can."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.export.filmstrip.moments import OwnCodeError, moment_in
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.filmstrip.pins import Pin
    from ldam_studio.gui.filmstrip.keeper import Keeper
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network

NOTICE = "restore pin"  # the key of messages


class Restoring:
    """Reads the session of a pin between two steps, since only then its networks may be used.

    Parameters
    ----------
    networks
        Networks that are open, apart from those of the session.
    mark
        Shows to which pin the session is about to go back; called with None once it has, or cannot.
    """

    def __init__(
        self,
        studio: Studio,
        keeper: Keeper,
        networks: Iterable[Network],
        mark: Callable[[Pin | None], None],
    ) -> None:
        self._studio, self._keeper, self._networks = studio, keeper, networks
        self._mark = mark
        self._question = PatientQuestion(studio, NOTICE, "go back to the pin")
        self._question.ended.connect(lambda: mark(None))

    def restore(self, pin: Pin, *, allow_code: bool = False) -> None:
        """Go back to a moment; undo leads to the present again."""
        self._mark(pin)
        # After the jobs before it, so that the pin is written.
        self._keeper.do(
            lambda film: film.session_file(pin),
            partial(self._ask, pin, allow_code=allow_code),
            self._give_up,
        )

    def leave(self) -> None:
        """Abandon a question that waits for the session."""
        self._question.cancel()

    def _give_up(self, why: str) -> None:
        self._mark(None)
        self._keeper.failed.emit(why)

    def _ask(self, pin: Pin, file: Path, *, allow_code: bool) -> None:
        device, networks = self._studio.device, list(self._networks)
        self._question.ask(
            partial(_found, file=file, device=device, networks=networks, allow_code=allow_code),
            partial(self._return, pin),
        )

    def _return(self, pin: Pin, found: SessionState | StudioError) -> None:
        notices = self._studio.notices
        if isinstance(found, OwnCodeError):
            notices.say(
                f"That moment runs your own code, {found}.",
                actions=[("Go back to it", partial(self.restore, pin, allow_code=True))],
                key=NOTICE,
            )
        elif isinstance(found, StudioError):
            notices.say(f"That moment cannot be shown: {found}", "warning", key=NOTICE)
        else:
            notices.dismiss(NOTICE)
            text = f"Go Back to {words.step(pin).capitalize()}"
            self._studio.controller.return_to(found, pin.front, text)


def _found(
    state: SessionState,
    file: Path,
    device: Device,
    networks: list[Network],
    *,
    allow_code: bool,
) -> SessionState | StudioError:
    """Return a moment, or why it cannot be had: what a question raises is nobody's to catch."""
    try:
        return moment_in(state, file, device, networks, allow_code=allow_code)
    except StudioError as error:
        return error
