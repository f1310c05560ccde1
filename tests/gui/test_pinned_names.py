"""What the networks are called while a checkpoint is pinned beside those that come."""

from __future__ import annotations

from gui.checkpoints import leave
from gui.windows import comparing, until, watching


def test_both_have_the_same_kind_of_short_name(studio, qtbot, tmp_path):
    leave(tmp_path, 100, epoch=1)
    watching(studio).start(tmp_path)
    watch, bar = watching(studio).watch, comparing(studio).bar
    until(qtbot, lambda: watch.swap is not None)
    watch.bar.pin.click()
    until(qtbot, lambda: bar.titles[1] == "epoch 1")
    leave(tmp_path, 200, epoch=2)
    until(qtbot, lambda: bar.titles == ("epoch 2", "epoch 1"))
