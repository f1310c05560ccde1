"""Remembers the window and the session from one start to the next."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, state_folder, write_bytes
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.gui.session.openings import Opening, start
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.model import SessionView
    from ldam_studio.gui.window.window import StudioWindow

VERSION = 1


class SessionStore:
    """Files: the window's and neurons' as JSON, the session's as it is (chains, averages, log).

    Parameters
    ----------
    folder
        Where they lie; made when something is saved.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else state_folder()
        self.window_file = self.folder / "window.json"
        self.session_file = self.folder / "last.ldam-session.safetensors"
        self.neurons_file = self.folder / "neurons.json"
        self.last_network = ""
        """Which network the last session looked at, once it is recalled."""

    # At the start

    def recall(self, window: StudioWindow) -> Opening:
        """Give a window its last looks, and return how to open its last session.

        Whatever is missing or damaged is left at what it is on a first start.
        """
        try:
            remembered = self._read()
            if remembered is None:
                return start(window.device, window.data)
            if remembered.get("unsaved"):
                unsaved = _unsaved_words(str(remembered["unsaved"]))
                window.banner.say(unsaved, "warning", lasting=True)
            _restore_window(window, remembered["window"])
            return self._opening(window, remembered["session"])
        except StudioError as error:
            window.banner.say(str(error), "warning", lasting=True)
        except (KeyError, TypeError, ValueError, AttributeError):
            window.banner.say(_damaged(self.window_file), "warning", lasting=True)
        return start(window.device, window.data)

    def _read(self) -> dict[str, Any] | None:
        if not self.window_file.exists():
            return None
        try:
            found = json.loads(read_bytes(self.window_file))
        except (ValueError, RecursionError):
            raise StudioError(_damaged(self.window_file)) from None
        if not isinstance(found, dict):
            raise StudioError(_damaged(self.window_file))
        return found if found.get("version") == VERSION else None

    def _opening(self, window: StudioWindow, session: dict[str, Any] | None) -> Opening:
        device = window.device
        first = start(device, window.data)
        if session is None or not self.session_file.exists():
            return first
        from ldam_studio.export.sidecar import read_session

        display = Display(
            {IMAGE: IMAGE, SIGNED: SIGNED}[session["mode"]],
            None if session["scale"] is None else float(session["scale"]),
        )
        watched = None if session.get("watched") is None else Path(session["watched"])
        watched_as = str(session.get("watched_as", ""))
        code = str(session.get("code", ""))
        again = Opening(
            title=str(session["title"]),
            # Code is only run after a click, see below.
            make=lambda: read_session(self.session_file, device, allow_code=bool(code)),
            display=display,
            rows=tuple(str(row) for row in session["rows"]),
            front=int(session["front"]),
            hint=str(session["hint"]),
            max_rate=int(SETTINGS["max_rate"].check(session["max_rate"])),
            # What was watched may have been written over, and is there to be watched all the same.
            fallback=replace(first, watched=watched, watched_as=watched_as),
            second_title=str(session.get("second_title", "")),
            watched=watched,
            watched_as=watched_as,
        )
        self.last_network = watched_as
        if not code:
            return again
        note = f"The last session runs your own code, {code}; it goes on if you say so."
        return replace(first, note=note, offered=again)

    # At the end

    def ask(self, window: StudioWindow) -> Future[bytes] | None:
        """Let the chains rest and ask for the session; None where there is none."""
        # A step under way is the last: what is asked is answered right after it.
        window.controller.pause()
        return window.controller.ask(_bytes_of)

    def save(self, window: StudioWindow, answer: Future[bytes] | None, unsaved: str = "") -> None:
        """Save both files and hide the window.

        A failure is said in the terminal and at the next start, and keeps the window from nothing.

        Parameters
        ----------
        answer
            What `ask` returned, once it is done; None leaves the session that was saved before.
        unsaved
            Why the session is not saved, where that is so.
        """
        looks = _window_of(window)
        session = _session_of(window)
        # Nobody has to look at a window that waits for a disk.
        window.hide()
        saved = False
        if answer is not None:
            try:
                write_bytes(self.session_file, answer.result(0))
                saved = True
            except Exception as error:
                # Whatever a session holds that cannot be written, the window must close.
                unsaved = str(error) or "the sampler did not answer"
        if unsaved:
            _print_unsaved(unsaved)
        self._write(looks, session if saved else self._kept_session(), unsaved)
        if window.panels.picker is not None:
            try:
                window.panels.picker.memory.save()
            except StudioError as error:
                _print_unsaved(str(error))

    def note_unsaved(self, window: StudioWindow, unsaved: str) -> None:
        """Let the next start know that the session was not saved, unless `save` does so yet."""
        self._write(_window_of(window), self._kept_session(), unsaved)

    def _write(self, looks: dict[str, Any], session: dict[str, Any] | None, unsaved: str) -> None:
        data = {"version": VERSION, "window": looks, "session": session, "unsaved": unsaved}
        try:
            write_bytes(self.window_file, json.dumps(data, indent=1).encode())
        except StudioError as error:
            _print_unsaved(str(error))

    def _kept_session(self) -> dict[str, Any] | None:
        """Return what is known about the session file where no newer one could be written."""
        try:
            found = self._read()
        except StudioError:
            return None
        return None if found is None else found.get("session")


def _bytes_of(state: SessionState) -> bytes:
    from ldam_studio.export.sidecar import session_bytes

    return session_bytes(state, history=True)


def _print_unsaved(reason: str) -> None:
    print(f"ldam-studio: the session was not saved: {reason}", file=sys.stderr)


def _unsaved_words(reason: str) -> str:
    return (
        f"The last session was not saved ({reason.rstrip('.')}); what the studio remembers is an "
        "earlier one."
    )


def _damaged(path: Path) -> str:
    return (
        f"What was remembered of the last session is damaged ({path.name}); this is a fresh start."
    )


def _session_of(window: StudioWindow) -> dict[str, Any]:
    model = window.model
    return {
        "title": model.title,
        "rows": list(model.rows),
        "front": model.front,
        "mode": model.display.mode,
        "scale": model.display.scale,
        "hint": window.hint,
        "max_rate": 0 if model.session is None else model.session.max_rate,
        "second_title": model.second_title,
        "watched": None if window.watching.left is None else str(window.watching.left),
        "watched_as": "" if model.session is None else model.session.network.name,
        "code": "" if model.session is None else _code_of(model.session),
    }


def _code_of(session: SessionView) -> str:
    """Return which of a person's own code a session runs; empty for none."""
    networks = [session.network] + ([] if session.second is None else [session.second.network])
    return " and ".join(dict.fromkeys(n.name for n in networks if runs_code(n.name)))


def _window_of(window: StudioWindow) -> dict[str, Any]:
    geometry = window.saveGeometry() if not window.panels.presenting else window.plain_geometry
    return {
        "geometry": base64.b64encode(bytes(geometry)).decode(),
        "across": window.panels.across.sizes(),
        "middle": window.panels.heights(),
        "panels": window.panels.wanted,
        "theme": window.theme_choice,
    }


def _restore_window(window: StudioWindow, looks: dict[str, Any]) -> None:
    choice = looks["theme"]
    if choice in ("system", "dark", "light"):
        window.set_theme(choice)
    window.restoreGeometry(base64.b64decode(looks["geometry"]))
    for splitter, sizes in ((window.panels.across, "across"), (window.panels.middle, "middle")):
        if len(looks[sizes]) == 3 and sum(looks[sizes]) > 0:
            splitter.setSizes([int(size) for size in looks[sizes]])
    window.panels.wanted |= {name: bool(looks["panels"][name]) for name in window.panels.wanted}
    window.panels.make_room()
