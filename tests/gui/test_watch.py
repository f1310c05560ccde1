"""A folder of checkpoints watched in a window over a real session."""

from __future__ import annotations

import pytest
import torch
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QPushButton
from torch import nn

from gui.checkpoints import leave
from gui.windows import (
    CPU,
    close_saved,
    comparing,
    filter_of,
    open_in,
    picker_of,
    small_opening,
    until,
    watching,
)
from ldam_studio.engine.watching.news import News
from ldam_studio.errors import StudioError
from ldam_studio.gui.app import main as app
from ldam_studio.gui.app.start import Start, Watched
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.watch.dialog import HINT, WatchDialog, checked_place
from ldam_studio.gui.watch.plot import TimelinePlot
from ldam_studio.gui.watch.timeline import empty_words
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights
from thinned import one_in


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "run"
    made.mkdir()
    return made


def shows(watch, path):
    return watch.swap is not None and watch.swap.checkpoint.path == path


def in_front(studio):
    """Return the weights' file that the session itself says it has."""
    network = studio.controller.ask(lambda state: state.lane.network).result(30)
    return network.weights


def test_new_checkpoints_come_under_the_running_chains(make_window, qtbot, folder):
    # Burnt in at once: a chain that was found steady in the meantime would average anew.
    studio = open_in(make_window(), qtbot, small_opening(burn_in=0))
    studio.controller.set_neurons(Neuron("conv1", 2))
    picker_of(studio).show_list(1)
    watching(studio).start(folder)
    watch = watching(studio).watch
    assert watch.bar.isVisible() and watch.panel.isVisible()
    assert watch.bar.plot.words() == f"Waiting for the first checkpoint in {folder}"
    until(qtbot, lambda: studio.last_frame.lanes[0].neurons[0] == Neuron("conv1", 2))
    step, average = studio.last_frame.step, studio.last_frame.lanes[0].samples[0]
    first = leave(folder, 1000, epoch=1.5, loss=0.25)
    until(qtbot, lambda: shows(watch, first))
    assert in_front(studio) == first
    until(qtbot, lambda: studio.last_frame.step > step)
    assert studio.last_frame.lanes[0].samples[0] > average
    assert studio.last_frame.lanes[0].neurons[0] == Neuron("conv1", 2)
    assert watch.bar.plot.words() == "epoch 1.5 · step 1,000 · loss 0.25"
    # The title and the status bar say whose weights they are, also when it is watched no longer.
    assert studio.windowTitle() == f"Small · {first.name} \N{EM DASH} LDAM Studio"
    assert studio.status.text("weights") == first.name
    # Lists of neurons and the filter are those of the weights in front.
    kernel = studio.model.outline.lane.network.module.get_submodule("conv1").weight[2]
    until(qtbot, lambda: filter_of(studio)._kernel is not None)
    std = studio.model.outline.lane.network.pixels.std[0]
    until(qtbot, lambda: torch.allclose(filter_of(studio)._kernel, kernel / std))
    assert picker_of(studio)._lists.front == 1
    log = studio.controller.ask(lambda state: [entry.name for entry in state.log]).result(30)
    assert log == ["neurons", "weights"]
    # Its picture is carried over unless a person has the chains start anew.
    watch.panel.restart.click()
    second = leave(folder, 2000)
    until(qtbot, lambda: in_front(studio) == second)
    log = studio.controller.ask(lambda state: [entry.name for entry in state.log]).result(30)
    assert log == ["neurons", "weights", "weights", "restart"]
    watch.stop()
    assert studio.status.text("weights") == second.name
    assert _nameless(watch.bar) + _nameless(watch.panel) == []


def _nameless(place):
    """Return what can be operated and has no name, or is not reached by the keyboard."""
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, TimelinePlot)
    return [
        widget
        for kind in kinds
        for widget in place.findChildren(kind)
        if not (widget.accessibleName() or (kind is QAbstractButton and widget.text()))
        or widget.focusPolicy() == Qt.FocusPolicy.NoFocus
    ]


def test_the_timeline_is_scrubbed_played_and_followed(studio, qtbot, folder):
    paths = [leave(folder, step) for step in (100, 200, 300)]
    watching(studio).start(folder)
    watch, bar = watching(studio).watch, watching(studio).watch.bar
    until(qtbot, lambda: shows(watch, paths[2]))
    assert bar.follow.isChecked() and bar.plot.current == 2
    bar.plot.setFocus()
    QTest.keyClick(bar.plot, Qt.Key.Key_Left)
    assert bar.plot.current == 1 and not bar.follow.isChecked()
    until(qtbot, lambda: shows(watch, paths[1]))
    # A new one does not take the place of the one that was chosen.
    newest = leave(folder, 400)
    until(qtbot, lambda: len(bar.plot.timeline) == 4)
    assert shows(watch, paths[1]) and bar.plot.current == 1
    # Playing goes through all that are left, one after the other, and rests at the end.
    seen = []
    watch.reading.swapped.connect(lambda swap: seen.append(swap.checkpoint.step))
    bar.speed.setCurrentIndex(4)
    bar.speed.activated.emit(4)
    bar.play.click()
    assert bar.play.accessibleName() == "Stop at this checkpoint"
    until(qtbot, lambda: shows(watch, newest) and not watch.player.is_on)
    assert seen == [300, 400]
    # At the end it begins anew; following ends it.
    QTest.keyClick(bar.plot, Qt.Key.Key_Space)
    until(qtbot, lambda: 100 in seen)
    QTest.keyClick(bar.plot, Qt.Key.Key_End)
    assert bar.follow.isChecked() and not watch.player.is_on
    until(qtbot, lambda: shows(watch, newest) and bar.plot.current == 3)
    bar.follow.click()
    assert watch.news is not None and bar.plot.current == 3
    until(qtbot, lambda: not watch.news.following)


def test_playing_passes_over_what_cannot_be_shown(studio, qtbot, folder):
    bad = {step: leave(folder, step, spoilt=float("nan")) for step in (100, 300, 500)}
    good = {step: leave(folder, step) for step in (200, 400)}
    watching(studio).start(folder)
    watch, bar = watching(studio).watch, watching(studio).watch.bar
    until(qtbot, lambda: shows(watch, good[400]))
    seen = []
    watch.reading.swapped.connect(lambda swap: seen.append(swap.checkpoint.step))
    bar.speed.setCurrentIndex(4)
    bar.speed.activated.emit(4)
    for at in (0, 2):  # so that they are known to be bad
        bar.plot.wanted.emit(at)
        until(qtbot, lambda at=at: bad[(100, 300)[at // 2]] in watch.news.troubles)
    # From a bad one it goes on to the next good one, and rests there: no other follows.
    bar.play.click()
    until(qtbot, lambda: shows(watch, good[400]) and not watch.player.is_on)
    # From the end it begins at the first that can be shown, and passes over the one between.
    bar.play.click()
    until(qtbot, lambda: seen[-2:] == [200, 400] and not watch.player.is_on)
    assert shows(watch, good[400]) and bar.plot.current == 3


def test_what_cannot_be_shown_is_said_and_the_chains_go_on(studio, qtbot, folder):
    good = leave(folder, 100)
    (folder / "broken.pt").write_bytes(b"nothing")
    watching(studio).start(folder)
    watch, bar = watching(studio).watch, watching(studio).watch.bar
    until(qtbot, lambda: shows(watch, good) and bar.skipped.isVisible())
    assert bar.skipped.text() == "1 skipped"
    assert bar.skipped.menu().actions()[0].text().startswith("broken.pt is cut short")
    # A training that diverges.
    leave(folder, 200, spoilt=float("nan"))
    until(qtbot, lambda: any("diverged" in text for text in studio.banner.texts()))
    assert shows(watch, good)
    # Another architecture.
    strange = folder / "lenet-000300.safetensors"
    write_weights(strange, nn.Linear(3, 2).state_dict(), {})
    until(qtbot, lambda: strange in watch.news.troubles)
    until(qtbot, lambda: any("architecture" in text for text in studio.banner.texts()))
    # Once known they are skipped, with the reason and without the folder's name.
    until(qtbot, lambda: bar.skipped.text() == "3 skipped")
    said = [action.text() for action in bar.skipped.menu().actions()]
    assert [text.partition(" ")[0] for text in said] == ["broken.pt", "The", strange.name]
    assert "lenet-000200.safetensors has weights that are not numbers" in said[1]
    # Gone to all the same, it says so first, and what is pinned is what runs.
    bar.plot.wanted.emit(2)
    assert bar.plot.words().startswith(f"Still step 100 · {strange.name} is for another")
    bar.pin.click()
    assert (bar.plot.pinned, bar.plot.current) == (0, 0)
    bar.pin.click()
    until(qtbot, lambda: not watch.news.following)
    bar.follow.click()
    until(qtbot, lambda: watch.news.following)
    # What was read and closed is not said again.
    studio.banner.clear()
    (folder / "more.pt").write_bytes(b"nothing")
    until(qtbot, lambda: bar.skipped.text() == "4 skipped")
    assert studio.banner.texts() == ()
    better = leave(folder, 400)
    until(qtbot, lambda: shows(watch, better))
    until(qtbot, lambda: studio.banner.texts() == ())
    # The folder goes and comes back.
    folder.rename(folder.parent / "gone")
    until(qtbot, lambda: bar.title.kind == "danger")
    assert studio.banner.texts() == (watch.news.notice,)
    folder.mkdir()
    back = leave(folder, 500)
    until(qtbot, lambda: shows(watch, back) and studio.banner.texts() == ())
    assert bar.title.words == "Checkpoints in run" and bar.title.toolTip() == str(folder)


def test_averaging_and_the_discriminators_rounds_are_set_in_the_panel(make_window, qtbot, folder):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    for step in (100, 200, 300):
        leave(folder, step)
    watching(window).start(folder, None, 2, 3)
    watch = watching(window).watch
    until(qtbot, lambda: watch.swap is not None)
    assert len(watch.swap.averaged) == 2 and watch.panel.averaging.value() == 2
    assert watch.panel.rounds.value() == 3 and watch.panel.rounds.isEnabled()
    watch.panel.averaging.setValue(3)
    until(qtbot, lambda: len(watch.swap.averaged) == 3)
    watch.panel.rounds.setValue(0)
    until(
        qtbot,
        lambda: window.controller.ask(lambda s: s.discriminator_rounds).result(30) == 0,
    )
    # It is no setting that a person takes back.
    assert window.model.outline.discriminator_rounds == 0
    watching(window).watch.bar.closed.emit()
    assert not watch.is_on and not watch.bar.isVisible() and not watch.panel.isVisible()


def test_another_network_or_session_ends_the_watch(studio, qtbot, folder):
    leave(folder, 100)
    watch = watching(studio).watch
    watching(studio).start(folder, open_network("lenet-averaged"))
    until(qtbot, lambda: watch.swap is not None)
    assert studio.model.outline.lane.network.name == "lenet-averaged"
    studio.controller.set_network(open_network("lenet"))
    assert not watch.is_on and watch.bar.isHidden()
    watching(studio).start(folder)
    assert watch.is_on
    studio.open(small_opening())
    assert not watch.is_on
    until(qtbot, lambda: studio.last_frame is not None)


def test_a_watch_needs_a_network(make_window):
    window = make_window()
    watching(window).start(None)
    assert "Open a network first" in window.banner.texts()[0]


# What to watch


def test_the_dialog_asks_for_a_place_and_may_open_another_network(studio, qtbot, folder):
    foreign = folder / "other.safetensors"
    write_weights(foreign, nn.Linear(3, 2).state_dict(), {})
    dialog = watching(studio).ask()
    assert dialog.which.itemText(0) == "lenet, which is open"
    assert not dialog.watch.isEnabled() and dialog.note.text() == HINT
    dialog.path.setText(str(folder / "nowhere"))
    dialog.go()
    assert "There is no folder or file" in dialog.note.text()
    dialog.path.setText(str(folder))
    assert dialog.note.text() == HINT
    dialog.which.setCurrentIndex(2)
    dialog.go()
    assert not dialog.watch.isEnabled()
    until(qtbot, lambda: "architecture" in dialog.note.text())
    assert dialog.isVisible() and dialog.watch.isEnabled()
    foreign.unlink()
    leave(folder, 100)
    dialog.go()
    watch = watching(studio).watch
    until(qtbot, lambda: watch.swap is not None)
    assert studio.model.outline.lane.network.name == "lenet-averaged"


def test_a_place_is_a_folder_or_a_file_of_weights(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no weights")
    with pytest.raises(StudioError, match=r"notes.txt is not a checkpoint"):
        checked_place(str(text))
    assert checked_place(f" {tmp_path} ") == tmp_path


def test_watching_without_a_display_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(app, "no_display", lambda: "there is no display")
    start = Start(CPU, watched=Watched(tmp_path, open_network("lenet")))
    with pytest.raises(StudioError, match=r"Watching needs a window, and there is no display"):
        app.main(start)


def test_at_the_next_start_the_pinned_one_is_there_and_watching_goes_on(
    make_window, qtbot, tmp_path, folder
):
    store = SessionStore(tmp_path / "state")
    window = open_in(make_window(store=store), qtbot, small_opening())
    first = leave(folder, 100)
    watching(window).start(folder)
    until(qtbot, lambda: shows(watching(window).watch, first))
    watching(window).watch.bar.pin.click()
    until(qtbot, lambda: len(window.last_frame.lanes) > 1)
    pinned = window.model.lane_titles().get(1, "")
    close_saved(window, qtbot)
    again = make_window(store=store)
    open_in(again, qtbot, again.recall().opening)
    until(qtbot, lambda: len(again.last_frame.lanes) > 1)
    assert again.windowTitle().startswith(f"Small · {first.name}")
    assert comparing(again).bar.titles[1] == pinned == "step 100"
    offers = again.banner.findChildren(QPushButton)
    next(button for button in offers if button.text() == "Watch again").click()
    until(qtbot, lambda: shows(watching(again).watch, first))
    assert again.banner.texts() == () and again.model.is_comparing


def offered(window):
    buttons = window.banner.findChildren(QPushButton)
    return next((button for button in buttons if button.text() == "Watch again"), None)


@pytest.mark.parametrize("network", one_in(2, ["lenet", "lenet-averaged"]))
def test_watching_goes_on_also_where_the_weights_of_the_session_are_gone(
    make_window, qtbot, tmp_path, folder, network
):
    store = SessionStore(tmp_path / "state")
    window = open_in(make_window(store=store), qtbot, small_opening())
    window.controller.set_network(open_network(network))
    last = folder / "last.safetensors"
    leave(folder, 100).rename(last)
    watching(window).start(last)
    until(qtbot, lambda: shows(watching(window).watch, last))
    close_saved(window, qtbot)
    leave(folder, 200).replace(last)
    again = make_window(store=store)
    open_in(again, qtbot, again.recall().opening)
    assert "restore the original file" in " ".join(again.banner.texts())
    offered(again).click()
    if network != "lenet":  # which is what opens in place of a session that cannot be opened
        dialog = again.findChild(WatchDialog)
        assert dialog.path.text() == str(last)
        assert dialog.which.currentText().startswith(network)
        dialog.go()
    until(qtbot, lambda: watching(again).watch.is_on and shows(watching(again).watch, last))
    assert again.model.outline.lane.network.name == network
    assert watching(again).watch.swap.checkpoint.step == 200
    assert offered(again) is None


# A checkpoint kept for comparison


def test_a_pinned_checkpoint_stays_beside_those_that_come(studio, qtbot, folder):
    first = leave(folder, 100, epoch=1)
    watching(studio).start(folder)
    watch, bar = watching(studio).watch, watching(studio).watch.bar
    until(qtbot, lambda: shows(watch, first))
    step = studio.last_frame.step
    bar.pin.click()
    assert bar.plot.pinned == 0 and bar.pin.isChecked()
    until(qtbot, lambda: len(studio.last_frame.lanes) > 1)
    assert studio.model.lane_titles().get(1, "") == "epoch 1"
    assert studio.last_frame.step >= step
    second = leave(folder, 200, epoch=2)
    until(qtbot, lambda: shows(watch, second))

    def lanes():
        read = studio.controller.ask(lambda s: [lane.network.weights for lane in s.lanes])
        return read.result(30)

    assert lanes() == [second, first]
    bar.pin.click()
    assert bar.plot.pinned is None and not studio.model.is_comparing
    bar.pin.click()
    assert bar.plot.pinned == 1
    # Ended elsewhere, it is pinned no longer; undoing that brings the comparison back.
    studio.controller.end_comparison()
    assert not bar.pin.isChecked() and bar.plot.pinned is None
    until(qtbot, lambda: lanes() == [second])
    studio.controller.undo()
    until(qtbot, lambda: studio.model.is_comparing)
    assert lanes() == [second, second]
    # Nothing is pinned in the place of what is compared already.
    bar.pin.click()
    assert not bar.pin.isChecked()
    assert "being compared already" in studio.banner.texts()[-1]
    # It outlives the watch.
    watch.stop()
    assert studio.model.is_comparing


def test_a_folder_without_a_checkpoint_says_what_is_in_it_instead(studio, qtbot, folder):
    (folder / "log.txt").write_text("epoch 1")
    (folder / "model.h5").write_bytes(b"\x89HDF" + bytes(300))
    watching(studio).start(folder)
    watch = watching(studio).watch
    wanted = (
        f"No checkpoint in {folder} yet: model.h5 is an HDF5 file, as Keras writes them; "
        "1 other file (.txt)"
    )
    until(qtbot, lambda: watch.bar.plot.words() == wanted)
    assert watch.bar.skipped.text() == "1 skipped"
    # Hugging Face's folders, in whatever order they are written.
    first = folder / "checkpoint-500" / "model.safetensors"
    first.parent.mkdir()
    write_weights(first, open_network("lenet").module.state_dict(), {})
    until(qtbot, lambda: shows(watch, first))
    assert watch.bar.plot.words().startswith("step 500")


def test_what_is_being_written_is_said(tmp_path):
    news = News(growing=(tmp_path / "big.pt",))
    assert empty_words(tmp_path, news) == "big.pt is still being written"
    assert empty_words(tmp_path, News()).startswith("Waiting for the first checkpoint")
    many = {tmp_path / f"{n}.h5": "is an HDF5 file" for n in range(5)}
    assert empty_words(tmp_path, News(skipped=many)).endswith("2.h5 is an HDF5 file; and 2 more")
