"""Connects recordings to the session and to the window."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, QTimer

from ldam_studio.engine.run_state import RunState
from ldam_studio.errors import StudioError
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.recorder.catching import Wanted
from ldam_studio.gui.recorder.choice import LastRecording, RecordingChoice
from ldam_studio.gui.recorder.light import RecordingLight
from ldam_studio.gui.recorder.recording import Recording
from ldam_studio.gui.recorder.words import left_out_words, progress_words
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task

if TYPE_CHECKING:
    from ldam_studio.engine.advance import StepInfo
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.recorder.drawing import Drawing
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Kind

RECORD = Entry(
    "record",
    "Record…",
    "Ctrl+Shift+R",
    "Record the images as an animation; again to stop",
    "record",
    needs_session=True,
)
STOP_TEXT = "Stop Recording"
LOOK_MS = 200
LONGEST_MS = 60_000  # longest wait for each file when the window closes
OTHER_SESSION, FAILED = "another session opens", "the chains cannot go on"


@dataclass
class _Running:
    """A recording that is not yet a finished file."""

    recording: Recording
    choice: RecordingChoice
    why: str = ""  # it was stopped, if not by the user
    errors: list[StudioError] = field(default_factory=list)


class Recordings(Feature):
    """Records the images of every n-th step into a file, while the session goes on."""

    entries = (RECORD,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, model = studio.places, studio.model
        self.action = places.action(RECORD, self.toggle)
        places.add_to_menu("File", self.action)
        self.lights: list[RecordingLight] = []
        folder = studio.folder
        first = LastRecording()
        self.last = LastChoice(first, None if folder is None else folder / "recording.json")
        self._current: _Running | None = None
        self._tasks: dict[Task, _Running] = {}
        self._speed = 0.0  # steps per second when the chains ran last
        self._timer = QTimer(places.root)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._tell)
        studio.controller.observe(self._look)
        studio.controller.opening.connect(self._leave_session)
        studio.frames.read.connect(self._note_speed)
        model.front_changed.connect(self._follow)
        model.display_changed.connect(self._follow)
        model.run_state_changed.connect(self._end_with)

    @property
    def recording(self) -> Recording | None:
        """The recording that runs, if any."""
        return None if self._current is None else self._current.recording

    def toggle(self) -> None:
        """Ask what to record and begin, or stop."""
        if self.recording is not None:
            self.stop()
            return
        from ldam_studio.gui.recorder.dialog import RecordDialog

        dialog = RecordDialog(self._size_of, self._speed, self.last, self.studio.places.root)
        choice = dialog.ask()
        dialog.deleteLater()
        if choice is not None:
            self.studio.start_folder = str(choice.path.parent)
            self.start(choice)

    def start(self, choice: RecordingChoice) -> None:
        """Begin a recording."""
        from ldam_studio.export.animation.ends import overlap_of
        from ldam_studio.export.animation.table import animation_writer

        model, controller = self.studio.model, self.studio.controller
        if controller.runner is None or self.recording is not None:
            return
        if any(running.choice.path == choice.path for running in self._tasks.values()):
            sentence = f"{choice.path} is still being finished; record to another file."
            self.studio.notices.say(sentence, "warning")
            return
        draw = self._drawing(choice.what, choice.height, choice.texts)
        wanted = Wanted(choice.what, draw.side, model.front, model.display)
        recording = Recording(wanted, choice.every)
        current = _Running(recording, choice)
        animate = partial(animation_writer, choice.path, draw.size, choice.rate)
        overlap = overlap_of(draw.size, choice.rate) if choice.loop else 0
        task = Task(lambda _task: recording.write(animate, draw, overlap))
        task.setObjectName("recording")
        # On the task's thread: a window that closes takes no signals.
        direct = Qt.ConnectionType.DirectConnection
        task.failed.connect(current.errors.append, direct)  # type: ignore[call-arg]
        for over in (task.done, task.failed):
            over.connect(lambda _outcome: self._end(task))
        self._tasks[task] = self._current = current
        controller.ask(recording.begin)
        task.start()
        self._show(True)

    def stop(self, why: str = "") -> None:
        """End the recording; its file is finished meanwhile.

        Parameters
        ----------
        why
            What ended it, to complete "... ended because"; empty for the user.
        """
        if self._current is not None:
            self._current.why = why
            self._current.recording.stop()
            self._current = None
            self._show(False)

    def leave(self) -> None:
        """End the recording."""
        self.stop()

    def close(self) -> None:
        """Wait until all files are finished; the terminal is told of those that are not."""
        for task, running in self._tasks.items():
            late = not task.wait(LONGEST_MS)
            task.leave()
            if late:
                running.errors.append(
                    StudioError(f"{running.choice.path} took too long to be finished.")
                )
            for error in running.errors:
                print(f"ldam-studio: {error}", file=sys.stderr)
        self._tasks.clear()

    # On the session's thread

    def _look(self, state: SessionState, _info: StepInfo | None) -> None:
        current = self._current
        if current is not None:
            current.recording.look(state)

    # Inside

    def _drawing(self, what: str, height: int, texts: bool) -> Drawing:
        from ldam_studio.gui.recorder.drawing import Drawing

        outline = self.studio.model.outline
        pixels = outline.lane.network.pixels
        image = pixels.width, pixels.height
        neurons, lanes = outline.lane.neurons, len(outline.lanes)
        return Drawing(what, image, neurons, lanes, height, texts=texts)

    def _size_of(self, what: str, height: int, texts: bool) -> tuple[int, int]:
        return self._drawing(what, height, texts).size

    def _follow(self, _any: object = None) -> None:
        """Record the chain that is in front now, in the colours of now."""
        if self._current is not None:
            recording, model = self._current.recording, self.studio.model
            recording.wanted = replace(recording.wanted, front=model.front, display=model.display)

    def _note_speed(self, frame: Frame) -> None:
        self._speed = frame.steps_per_second or self._speed

    def _leave_session(self, _opening: Opening) -> None:
        self._speed = 0.0
        self.stop(OTHER_SESSION)

    def _end_with(self, state: RunState) -> None:
        if state in (RunState.FAILED, RunState.CLOSED):
            self.stop(FAILED)

    def _make_lights(self) -> None:
        """Make the lights in the status bar and in the bar of a presentation."""
        self.lights = [RecordingLight(), RecordingLight()]
        for light in self.lights:
            light.stopped.connect(self.stop)
        places = self.studio.places
        places.add_to_status(self.lights[0])
        places.add_to_presentation(self.lights[1])

    def _show(self, on: bool) -> None:
        self.action.setText(STOP_TEXT if on else RECORD.text)
        if not self.lights:
            self._make_lights()
        for light in self.lights:
            light.setVisible(on)
        if on:
            self._timer.start()
            self._tell()
        else:
            self._timer.stop()

    def _tell(self) -> None:
        if self._current is not None:
            recording, choice = self._current.recording, self._current.choice
            words = progress_words(recording.frames, choice.rate, recording.bytes)
            tip = f"Recording to {choice.path}"
            if left_out := left_out_words(recording.left_out):
                tip += f"\n{left_out}."
            for light in self.lights:
                light.show_words(words, tip)

    def _end(self, task: Task) -> None:
        """Say what became of a recording."""
        running = self._tasks.pop(task)
        task.leave()
        if running is self._current:  # its file could not be written any further
            self._current = None
            self._show(False)
        words, kind = _outcome(running)
        self.studio.notices.say(words, kind, key=str(running.choice.path))


def _outcome(running: _Running) -> tuple[str, Kind]:
    """Return one sentence, and how bad it is."""
    recording, choice = running.recording, running.choice
    if running.errors:
        return str(running.errors[0]), "danger"
    if not recording.frames:
        return "Nothing was recorded, because the recording ended during the first step.", "warning"
    parts = ", ".join(progress_words(recording.frames, choice.rate, recording.bytes))
    words = f"Recorded {choice.path} ({parts})"
    if running.why:
        words += f"; the recording ended because {running.why}"
    left_out = left_out_words(recording.left_out)
    return f"{words}; {left_out}." if left_out else f"{words}.", "info"
