"""Remembers the window and the session from one start to the next."""

from __future__ import annotations

import base64
import json
import sys
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError
from ldam_studio.files import state_folder
from ldam_studio.gui.model import IMAGE, SIGNED, Display
from ldam_studio.gui.sessions import Opening, start
from ldam_studio.networks.weights import read_bytes, write_bytes
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.gui.window import StudioWindow

ANSWER_S = 0.4  # of the second that closing may take
LONGEST_ANSWER_S = 4.0  # for a network whose steps take long: its session is worth the wait
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

    # At the start

    def recall(self, window: StudioWindow) -> Opening:
        """Give a window its last looks, and return how to open its last session.

        Whatever is missing or damaged is left at what it is on a first start.
        """
        try:
            remembered = self._read()
            if remembered is None:
                return start(window.machine, window.data)
            _restore_window(window, remembered["window"])
            return self._opening(window, remembered["session"])
        except StudioError as error:
            window.say(str(error), "warning")
        except (KeyError, TypeError, ValueError, AttributeError):
            window.say(_damaged(self.window_file), "warning")
        return start(window.machine, window.data)

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
        machine = window.machine
        first = start(machine, window.data)
        if session is None or not self.session_file.exists():
            return first
        from ldam_studio.export.sidecar import read_session

        display = Display(
            {IMAGE: IMAGE, SIGNED: SIGNED}[session["mode"]],
            None if session["scale"] is None else float(session["scale"]),
        )
        watched = None if session.get("watched") is None else Path(session["watched"])
        watched_as = str(session.get("watched_as", ""))
        return Opening(
            title=str(session["title"]),
            make=lambda: read_session(self.session_file, machine),
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

    # At the end

    def save(self, window: StudioWindow) -> None:
        """Save both files; a failure is said in the terminal and keeps the window from nothing."""
        data = self._session_bytes(window)
        try:
            if data is not None:
                write_bytes(self.session_file, data)
            kept = _session_of(window) if data is not None else self._kept_session()
            looks = {"version": VERSION, "window": _window_of(window), "session": kept}
            write_bytes(self.window_file, json.dumps(looks, indent=1).encode())
            if window.panels.picker is not None:
                window.panels.picker.memory.save()
        except StudioError as error:
            _say_unsaved(str(error))

    def _session_bytes(self, window: StudioWindow) -> bytes | None:
        """Return the session as it is now, None where there is none or it does not answer."""
        from ldam_studio.export.sidecar import session_bytes

        future = window.controller.ask(lambda state: session_bytes(state, history=True))
        try:
            return None if future is None else future.result(_patience(window))
        except (StudioError, CancelledError, TimeoutError, ValueError, RuntimeError) as error:
            _say_unsaved(str(error) or "the sampler did not answer")
            return None

    def _kept_session(self) -> dict[str, Any] | None:
        """Return what is known about the session file where no newer one could be written."""
        try:
            found = self._read()
        except StudioError:
            return None
        return None if found is None else found.get("session")


def _patience(window: StudioWindow) -> float:
    """Return for how many seconds to wait for an answer, which comes after the present step."""
    frame = window.last_frame
    steps_per_second = 0.0 if frame is None else frame.steps_per_second
    if steps_per_second <= 0:
        return ANSWER_S
    return min(ANSWER_S + 2 / steps_per_second, LONGEST_ANSWER_S)


def _say_unsaved(reason: str) -> None:
    print(f"ldam-studio: the session was not saved: {reason}", file=sys.stderr)


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
    }


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
