"""What a discriminator needs to learn is there before its first lesson; nothing waits for it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from gui.checkpoints import leave
from gui.windows import open_in, small_opening, until, watching
from ldam_studio.gui.session import learning

NEEDED = learning.NEEDED  # before what is needed is nothing, for other tests


@pytest.fixture
def imports(monkeypatch):
    """Let what is needed be imported once `may_end` is set; `threads` tells where it is."""

    made = SimpleNamespace(threads=[], may_end=threading.Event())

    def slowly(name):
        assert name == NEEDED
        made.threads.append(threading.current_thread())
        assert made.may_end.wait(60)

    monkeypatch.setattr(learning, "NEEDED", NEEDED)
    monkeypatch.setattr(learning, "import_module", slowly)
    yield made
    made.may_end.set()


def asked(window, name):
    return window.controller.ask(lambda state: getattr(state, name)).result(30)


def asked_thread(window):
    return window.controller.ask(lambda _state: threading.current_thread()).result(30)


@pytest.fixture
def window(make_window, qtbot):
    return open_in(make_window(), qtbot, small_opening(discriminator=True))


def test_keep_learning_begins_once_what_it_needs_is_there(window, qtbot, imports):
    window.controller.set_value("learn_every", 7)
    window.controller.set_value("learn_every", 5)
    until(qtbot, lambda: len(imports.threads) == 1)
    assert imports.threads[0] is not threading.main_thread()
    assert imports.threads[0] is not asked_thread(window)
    # Meanwhile the chains go on, and the window says what was asked for, whatever frames tell.
    step = window.last_frame.step
    until(qtbot, lambda: window.last_frame.step > step + 10)
    assert asked(window, "learn_every") == 0
    assert window.last_frame.outline.learn_every == 0
    assert window.model.outline.learn_every == 5
    imports.may_end.set()
    until(qtbot, lambda: asked(window, "learn_every") == 5)
    window.controller.set_value("learn_every", 4)
    assert asked(window, "learn_every") == 4
    assert len(imports.threads) == 1
    log = window.controller.ask(lambda s: [(e.name, e.value) for e in s.log]).result(30)
    assert log == [("learn_every", 5), ("learn_every", 4)]


def test_what_is_taken_back_meanwhile_does_not_begin(window, qtbot, imports):
    window.controller.set_value("learn_every", 7)
    window.controller.undo()
    imports.may_end.set()
    until(qtbot, lambda: window.controller._needs.are_met)
    assert asked(window, "learn_every") == 0


def test_rounds_of_a_watch_begin_once_what_they_need_is_there(window, qtbot, imports, tmp_path):
    path = leave(tmp_path, 100)
    watching(window).start(tmp_path, None, 0, 3)
    watch = watching(window).watch
    until(qtbot, lambda: watch.swap is not None and watch.swap.checkpoint.path == path)
    assert watch.panel.rounds.value() == 3
    assert asked(window, "discriminator_rounds") == 0
    imports.may_end.set()
    until(qtbot, lambda: asked(window, "discriminator_rounds") == 3)


def test_another_session_does_not_learn_what_the_one_before_was_to(window, qtbot, imports):
    window.controller.set_value("learn_every", 7)
    open_in(window, qtbot, small_opening(discriminator=True))
    imports.may_end.set()
    until(qtbot, lambda: window.controller._needs.are_met)
    assert asked(window, "learn_every") == 0
