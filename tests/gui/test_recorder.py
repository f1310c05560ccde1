"""Recording a running session as an animation."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gui.windows import CPU, lenet, paused, small_opening, until
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.animation.ends import with_meeting_ends
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.recorder import dialog as dialog_module
from ldam_studio.gui.recorder.catching import WHAT, Wanted, caught
from ldam_studio.gui.recorder.choice import LastRecording, RecordingChoice, pace_words, usual_steps
from ldam_studio.gui.recorder.dialog import RecordDialog
from ldam_studio.gui.recorder.drawing import Drawing
from ldam_studio.gui.recorder.feature import Recordings
from ldam_studio.gui.recorder.recording import MOST_WAITING, Recording
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.networks.neurons import parse_neurons
from ldam_studio.sampler.settings import Settings


def session(neurons="fc3:0-2", **settings):
    spec = SessionSpec(
        lenet(), tuple(parse_neurons(neurons)), Settings.of(**settings), seed=3, device=CPU
    )
    return open_session(spec)


class Written:
    """A writer that keeps what it is given."""

    def __init__(self, fails_at: int = -1) -> None:
        self.pictures, self.frames, self.bytes, self.finished = [], 0, 0, False
        self._fails_at = fails_at
        self.gate = threading.Event()
        self.gate.set()

    def add(self, picture) -> None:
        self.gate.wait(10)
        if self.frames == self._fails_at:
            raise StudioError("The disk is full.")
        self.pictures.append(picture)
        self.frames += 1

    def __enter__(self):
        return self

    def __exit__(self, *_error) -> None:
        self.finished = True


class Counted(Written):
    """A writer that only counts."""

    def add(self, picture) -> None:
        self.frames += 1


def in_thread(recording, writer, draw=lambda each: each, overlap=0):
    """Let a recording be written on a thread; return a function that waits for its outcome."""
    outcome = []

    def write() -> None:
        try:
            recording.write(lambda: writer, draw, overlap)
        except StudioError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=write)
    thread.start()

    def join():
        thread.join(10)
        return outcome

    return join


def raw(front=0, side=28):
    return Wanted("raw", side, front, Display(IMAGE))


def images(each):
    return each.images[0].values.array()


def test_every_nth_step_is_taken_exactly_and_the_chains_stay_as_they_are_without():
    state, alone, seen = session(), session(), []
    recording, writer = Recording(raw(front=1), 3), Written()
    join = in_thread(recording, writer, images)
    recording.begin(state)
    for step in range(1, 11):
        changes = [Change("temperature", 0.5)] if step == 5 else []
        state, _ = advance(state, changes)
        recording.look(state)
        recording.look(state)  # a change is told without a step
        alone, _ = advance(alone, changes)
        if step % 3 == 0:
            seen.append(alone.lane.chains.x[1:2].numpy().copy())
    recording.stop()
    assert join() == [] and writer.finished
    assert np.array_equal(np.stack(writer.pictures[1:]), np.stack(seen))
    assert torch.equal(state.lane.chains.x, alone.lane.chains.x)
    assert recording.frames == 4 and recording.left_out == 0


def test_a_session_that_was_left_and_ends_its_step_is_not_recorded():
    state, recording = session(), Recording(raw(), 1)
    recording.begin(state)
    state, _ = advance(state)
    other = threading.Thread(target=recording.look, args=(state,))
    other.start()
    other.join()
    assert recording.frames == 1
    recording.look(state)
    assert recording.frames == 2


def test_what_cannot_be_written_in_time_is_left_out_and_keeps_its_time(monkeypatch):
    monkeypatch.setattr("ldam_studio.gui.recorder.recording.PATIENCE_S", 0.001)
    state, writer = session(), Written()
    recording = Recording(raw(), 1)
    writer.gate.clear()
    join = in_thread(recording, writer, lambda each: each.missed)
    recording.begin(state)
    for _ in range(MOST_WAITING + 9):
        state, _ = advance(state)
        recording.look(state)
    left_out = recording.left_out
    assert left_out in (8, 9, 10)  # the writer may hold one that no longer waits
    writer.gate.set()
    until_written(writer, MOST_WAITING)
    state, _ = advance(state)
    recording.look(state)
    recording.stop()
    assert join() == []
    # The last picture has the frames that were left out before it.
    assert writer.pictures[-1] == left_out
    assert writer.frames == recording.frames == MOST_WAITING + 11


def until_written(writer, frames) -> None:
    waiting = threading.Event()
    for _ in range(5000):
        if writer.frames >= frames:
            return
        waiting.wait(0.001)
    raise AssertionError("it was not written")


@pytest.mark.parametrize("most", [1_000, pytest.param(10_000, marks=pytest.mark.thorough)])
def test_many_frames_take_no_more_memory_than_a_hundred(most):
    state, writer, peaks = session("fc3:0"), Counted(), []
    recording = Recording(raw(), 1)
    join = in_thread(recording, writer, images)
    recording.begin(state)
    tracemalloc.start()
    for end in (100, most):
        tracemalloc.reset_peak()
        while state.step < end:
            state.step += 1
            recording.look(state)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    recording.stop()
    assert join() == []
    assert peaks[1] < peaks[0] + 2**17 and recording.frames > most - 100


def test_a_full_disk_ends_the_recording_and_the_chains_run_on():
    state, writer = session(), Written(fails_at=2)
    recording = Recording(raw(), 1)
    join = in_thread(recording, writer)
    recording.begin(state)
    for _ in range(5):
        state, _ = advance(state)
        recording.look(state)
    assert join() == ["The disk is full."] and writer.finished
    state, _ = advance(state)
    recording.look(state)
    assert recording.left_out == 0


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("mode", [IMAGE, SIGNED])
def test_a_frame_keeps_its_size_whatever_it_shows(what, mode):
    few = session("fc3:0-2")
    draw = Drawing(what, (28, 28), few.lane.neurons, 1, 120, texts=mode == IMAGE)
    width, height = draw.size
    assert 80 <= height <= 120
    shown = draw(caught(few, Wanted(what, draw.side, 5, Display(mode))))
    assert shown.shape == (height, width, 3)
    # Before the first sample, averages have the rest colour.
    if (what, mode) == ("average", SIGNED):
        assert len(np.unique(shown)) == 1
    few, _ = advance(few, [Change("compare", LaneSpec(lenet()))])
    many, _ = advance(session("fc3:0-9"))
    for state in (few, many):
        frame = draw(caught(state, Wanted(what, 28, 5, Display(mode))))
        assert frame.shape == (height, width, 3)


def test_large_images_are_reduced_before_they_wait():
    draw = Drawing("strip", (224, 224), parse_neurons("fc3:0-9") * 10, 1, 480, texts=False)
    assert draw.size == (480, 480) and draw.side == 48


def test_a_grid_has_a_column_for_each_neuron_or_the_shape_of_a_screen():
    ten = parse_neurons("fc3:0-9")
    for neurons, low, high in ((ten * 10, 0.9, 1.1), (ten, 1.2, 2.6), (ten[:1] * 90, 1.2, 2.6)):
        width, height = Drawing("strip", (28, 28), neurons, 1, 480, texts=False).size
        assert low < width / height < high


def test_the_texts_say_what_is_shown_and_when():
    state, _ = advance(session("fc3:0-2"))
    assert caught(state, raw(front=1)).note == "1, step 1"
    strip = Wanted("strip", 28, 1, Display(IMAGE))
    assert caught(state, strip).note == "step 1"
    assert caught(advance(session("fc3:1"))[0], strip).note == "1, step 1"


@pytest.mark.parametrize("overlap", [0, 4])
def test_the_ends_of_a_loop_meet(overlap):
    ramp = [np.full((1, 1, 3), 10 * value, np.uint8) for value in range(20)]
    shown = [int(picture[0, 0, 0]) for picture in with_meeting_ends(iter(ramp), overlap)]
    jumps = np.abs(np.diff([*shown, shown[0]]))
    assert len(shown) == 20 - overlap
    assert jumps.max() <= (190 if overlap == 0 else 45)


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 7, 8, 9])
def test_a_short_loop_has_shorter_ends(frames):
    ramp = [np.full((1, 1, 3), value, np.uint8) for value in range(frames)]
    shown = list(with_meeting_ends(iter(ramp), 4))
    assert len(shown) == frames - (4 if frames > 8 else frames // 3)


# The dialog


@pytest.fixture
def dialog(qtbot, tmp_path):
    last = LastChoice(LastRecording(), tmp_path / "recording.json")
    last.write(LastRecording(folder=str(tmp_path)))

    def make(speed=600.0):
        shown = RecordDialog(lambda what, height, texts: (2 * height, height + texts), speed, last)
        qtbot.addWidget(shown)
        shown.show()
        return shown

    return make


def test_it_suggests_a_file_and_steps_that_play_as_fast_as_it_runs(dialog, tmp_path, qtbot):
    shown = dialog()
    assert shown.choice() == RecordingChoice(
        "both", 480, 30, 20, False, True, tmp_path / "recording.webp"
    )
    shown.rate.setValue(10)
    assert shown.choice().every == 60
    shown.every.setValue(3)
    shown.rate.setValue(20)
    assert shown.choice().every == 3  # the user's own
    shown.format.setCurrentIndex(shown.format.findData(".gif"))
    assert shown.choice().path == tmp_path / "recording.gif"
    shown.target.field.clear()
    qtbot.keyClicks(shown.target.field, str(tmp_path / "my.apng"))
    assert shown.format.currentData() == ".png" and shown.choice().path.name == "my.apng"
    shown.loop.setChecked(True)
    shown._accepted()
    second = dialog(2.0)
    again = second.choice()
    assert again == RecordingChoice("both", 480, 20, 1, True, True, tmp_path / "recording.png")


def test_mp4_without_its_library_names_the_extra(dialog, monkeypatch):
    shown = dialog()
    monkeypatch.setattr(dialog_module, "find_spec", lambda name: None)
    shown.format.setCurrentIndex(shown.format.findData(".mp4"))
    shown._accepted()
    assert shown.isVisible() and "ldam-studio[video]" in shown.note.text()


def test_the_pace_is_said_in_words():
    assert usual_steps(0.0, 30) == usual_steps(3.0, 30) == 1
    assert pace_words(20, 30, 610.0).endswith("as fast as the chains run now.")
    assert "10 times as fast" in pace_words(1, 30, 3.0)
    assert "2 times as slowly" in pace_words(10, 30, 600.0)
    assert pace_words(1, 30, 0.0) == "Plays 30 steps per second."


# In the window


def choice(path, every=2, what="both", **given):
    return RecordingChoice(what, 64, 30, every, given.get("loop", False), True, path)


def said(window):
    return " ".join(window.banner.texts())


def frames_of(path: Path):
    with Image.open(path) as picture:
        found = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            found.append(np.asarray(picture.convert("RGB")))
        return found


def test_a_recording_follows_what_is_done_and_ends_with_the_session(studio, qtbot, tmp_path):
    recorder, path = studio.feature(Recordings), tmp_path / "a.webp"
    assert not recorder.lights and studio.actions_by_name["record"].text() == "Record…"
    recorder.start(choice(path))
    light = recorder.lights[0]
    assert light.isVisible() and studio.actions_by_name["record"].text() == "Stop Recording"
    running = recorder.recording
    until(qtbot, lambda: running.frames > 5)
    paused(studio, qtbot)
    rested = running.frames
    studio.controller.set_front(2)
    studio.controller.set_display(Display(SIGNED))
    until(qtbot, lambda: "frame" in light.words.text())
    assert running.frames == rested and running.wanted.front == 2
    assert running.wanted.display.mode == SIGNED
    studio.controller.play()
    studio.controller.melt()
    studio.controller.set_neurons(tuple(parse_neurons("fc3:0-4")))
    until(qtbot, lambda: running.frames > rested + 5)
    studio.present(True)
    assert recorder.lights[1].isVisible()
    studio.present(False)
    studio.open(small_opening("fc3:4"))
    assert light.isHidden()
    until(qtbot, lambda: "another session opens" in said(studio))
    shown = frames_of(path)
    assert len(shown) > 5 and shown[0].shape == shown[-1].shape


def test_the_key_stops_and_closing_finishes_the_file(studio, qtbot, tmp_path):
    recorder, path = studio.feature(Recordings), tmp_path / "new" / "b.png"
    before = studio.statusBar().sizeHint().height()
    recorder.start(choice(path, what="strip"))
    assert studio.statusBar().sizeHint().height() == before  # so that the images stay in place
    first = recorder.recording
    until(qtbot, lambda: first.frames > 2)
    studio.actions_by_name["record"].trigger()
    assert recorder.recording is None
    until(qtbot, lambda: "Recorded" in said(studio))
    assert len(frames_of(path)) > 2
    recorder.start(choice(path.with_name("c.gif"), loop=True))
    second = recorder.recording
    until(qtbot, lambda: second.frames > 2)
    studio.close()
    assert len(frames_of(path.with_name("c.gif"))) >= 2


def test_a_file_that_cannot_be_written_is_one_sentence(studio, qtbot, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    recorder = studio.feature(Recordings)
    recorder.start(choice(tmp_path / "file" / "d.webp"))
    until(qtbot, lambda: "cannot be written" in said(studio))
    assert recorder.recording is None and recorder.lights[0].isHidden()
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)


def test_a_grid_goes_on_through_changes_and_ends_with_a_session_that_fails(
    studio, qtbot, tmp_path, monkeypatch
):
    recorder, controller, path = studio.feature(Recordings), studio.controller, tmp_path / "e.webp"
    recorder.start(choice(path, every=1, what="strip"))
    running, light = recorder.recording, recorder.lights[0]
    for chains in ("fc3:0", "fc3:0-9"):
        before = running.frames
        controller.set_neurons(tuple(parse_neurons(chains)))
        until(qtbot, lambda before=before: running.frames > before + 3)
    studio.actions_by_name["undo"].trigger()
    before = running.frames
    until(qtbot, lambda: running.frames > before + 3)

    def fails(*_):
        raise RuntimeError("the device is gone")

    monkeypatch.setattr("ldam_studio.engine.runner.advance", fails)
    until(qtbot, lambda: "because the chains cannot go on" in said(studio))
    assert recorder.recording is None and light.isHidden()
    assert len({frame.shape for frame in frames_of(path)}) == 1
