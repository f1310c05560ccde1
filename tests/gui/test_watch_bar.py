"""The bar of a watched training, by itself."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QPoint

from ldam_studio.gui.watch.bar import WatchBar
from ldam_studio.gui.watch.timeline import Timeline
from ldam_studio.networks.weights.checkpoints import Checkpoint


def test_what_is_listed_ends_at_the_windows_edge_and_is_whole_in_its_tip(qtbot):
    bar = WatchBar()
    qtbot.addWidget(bar)
    bar.resize(800, 120)
    sentence = "lenet-000300.safetensors is for another architecture: " + "weights differ " * 12
    bar.show_skipped([sentence])
    with qtbot.waitExposed(bar):
        bar.show()
    menu = bar.skipped.menu()
    menu.aboutToShow.emit()
    (action,) = menu.actions()
    assert action.text().startswith("lenet-000300") and action.text().endswith("…")
    left = bar.skipped.mapTo(bar, QPoint(0, 0)).x()
    assert menu.sizeHint().width() <= max(800 - left, 380)
    assert action.toolTip() == sentence


def test_names_of_files_stay_words_in_tips(qtbot):
    bar = WatchBar()
    qtbot.addWidget(bar)
    bar.show_skipped(["<img src=x>.pt is damaged"])
    bar.show_title("<img src=x>")
    (action,) = bar.skipped.menu().actions()
    assert action.toolTip() == "<p>&lt;img src=x&gt;.pt is damaged</p>"
    assert bar.title.toolTip() == "<p>&lt;img src=x&gt;</p>"
    bar.show_skipped(["<img src=x>.pt is damaged"])
    assert bar.skipped.menu().actions() == [action]  # the open menu is left alone


def test_what_cannot_be_shown_does_not_count():
    files = [Checkpoint(Path(f"{n}.pt"), (n, 1, n), step=n) for n in range(4)]
    timeline = Timeline.of(files, {Path("1.pt"): "is another network's"})
    assert timeline.count() == timeline.count(1) == "3"
    assert [timeline.count(at) for at in (0, 2, 3)] == ["1 of 3", "2 of 3", "3 of 3"]
