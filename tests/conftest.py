"""What every test shares: a quiet, repeatable machine, and checks that nothing is left behind."""

from __future__ import annotations

import gc
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

# Read when the libraries are loaded, so set before torch and Qt are imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# What a person has set for other programs: colours where tests read plain lines, and a proxy before
# the servers that tests start.
os.environ.pop("FORCE_COLOR", None)
os.environ.pop("PY_COLORS", None)
os.environ.pop("TTY_COMPATIBLE", None)
os.environ.pop("PYTHONWARNINGS", None)
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"

import hypothesis
import pytest
import torch
from torch.utils.hooks import RemovableHandle

import left_behind
from ldam_studio.networks.behaviour.randomness import seed_torch

torch.set_num_threads(1)
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=50
)
hypothesis.settings.load_profile("repeatable")

PATIENCE = 5.0  # seconds that a thread which was told to end is given


THOROUGH = "further ones of a kind that is tested: make thorough"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip aloud what is left to `make thorough`, unless it is asked for."""
    if "thorough" not in config.getoption("markexpr"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason=THOROUGH))


def pytest_collection_finish() -> None:
    """Take what the libraries made on import, for ever alive, out of every later search for leaks.

    Some 300,000 objects: going over them costs more than most tests do.
    """
    gc.collect()
    gc.freeze()
    # With so little left to go over, full collections would come often, and in the middle of a
    # window's event take that window away; they are for the ends of tests.
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1000)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Give the folder with the shared data sets, or skip."""
    named = os.environ.get("LDAM_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(named) if named else beside
    missing = [name for name in ("mnist", "weights", "photos") if not (folder / name).is_dir()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in {folder} (set LDAM_DATA)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def _nobody_s_presets(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what a person has saved out of the tests, and what they save out of their folder."""
    os.environ["LDAM_STATE_DIR"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test read what was found on this computer or in other tests, or leave anything."""
    folder = tmp_path_factory.getbasetemp() / "cache" / secrets.token_hex(6)
    monkeypatch.setenv("LDAM_CACHE_DIR", str(folder))  # made only when something is written


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """Let what a test draws not depend on the tests before it."""
    seed_torch(0)


@pytest.fixture(autouse=True)
def _on_the_processor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run sessions where every machine can, but for tests of CUDA, which skip without it."""
    if not request.node.get_closest_marker("cuda"):
        monkeypatch.setattr("ldam_studio.engine.compute.device._has_cuda", lambda: False)
        monkeypatch.setattr("ldam_studio.engine.compute.device._has_mps", lambda: False)
    elif not torch.cuda.is_available():
        pytest.skip("no CUDA device")


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fail when a test leaves a thread of Python's or of Qt's running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    for thread in set(threading.enumerate()) - before:
        if not isinstance(thread, threading._DummyThread):
            thread.join(max(0.0, deadline - time.monotonic()))
    since = set(threading.enumerate()) - before
    left = [thread.name for thread in since if left_behind.runs(thread)]
    assert not left, f"threads left running: {left}"


@pytest.fixture(autouse=True)
def _no_hook_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail when a test leaves a hook on a module that outlives it."""
    handles: list[RemovableHandle] = []
    made = RemovableHandle.__init__

    def note(self: RemovableHandle, *args: object, **keywords: object) -> None:
        made(self, *args, **keywords)
        handles.append(self)

    monkeypatch.setattr(RemovableHandle, "__init__", note)
    yield
    if not left_behind.hooked(handles):
        return
    # Modules that nobody holds any more take their hooks with them.
    gc.collect()
    assert not left_behind.hooked(handles), f"hooks left behind: {left_behind.hooked(handles)}"


@pytest.fixture(autouse=True)
def _no_widget_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail when a test leaves a window, a ticking timer or a running QThread behind."""
    if not {"qtbot", "qapp"} & set(request.fixturenames):
        yield
        return
    from PyQt6.QtCore import QEvent
    from PyQt6.QtWidgets import QApplication

    before = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    QApplication.processEvents()
    # Python may not have let go of what nobody holds any more.
    gc.collect()
    widgets, ticking, running = left_behind.of_qt(before)
    found = [f"{type(thing).__name__} {thing.objectName()!r}" for thing in widgets + ticking]
    found += [f"running {type(thread).__name__}" for thread in running]
    if _loop_is_over():
        found.append("an application whose loop was told to end, so that no other loop waits")
    # One leak is one failure: what is reported is also ended.
    for timer in ticking:
        timer.stop()
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    assert not found, f"left behind: {found}"
    # What is alive now stays so, as imported modules do; later searches need not go over it again.
    gc.freeze()


def _loop_is_over() -> bool:
    """Tell whether someone quit the application outside its loop, and make it usable again.

    Qt remembers that until its main loop begins anew; till then every other loop returns at once.
    """
    from PyQt6.QtCore import QCoreApplication, QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(0, loop.quit)
    if loop.exec() == 0:
        return False
    QTimer.singleShot(0, lambda: QCoreApplication.exit(0))
    QCoreApplication.exec()
    return True
