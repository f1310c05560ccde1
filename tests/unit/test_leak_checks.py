"""The checks of conftest.py notice what a test leaves behind."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LEAKS = """
import threading
import torch
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QWidget

GATE = threading.Event()
NETWORK = torch.nn.Linear(2, 2)
KEPT = []

def test_clean(qapp):
    NETWORK.register_forward_hook(lambda *args: None).remove()
    QWidget().deleteLater()

def test_thread(monkeypatch):
    import conftest
    monkeypatch.setattr(conftest, "PATIENCE", 0.0)
    threading.Thread(target=GATE.wait, args=(60,), daemon=True, name="leaked").start()

def test_hook():
    NETWORK.register_forward_hook(lambda *args: None)

def test_widget(qapp):
    KEPT.append(QWidget())

def test_timer(qapp):
    KEPT.append(QTimer())
    KEPT[-1].start(1000)

def test_quit(qapp):
    qapp.exit(0)

def test_quit_is_over(qapp, qtbot):
    qtbot.wait(1)
"""


def test_each_leak_fails_the_test_that_made_it_and_no_other(tmp_path: Path):
    path = tmp_path / "test_leak.py"
    path.write_text(LEAKS)
    flags = ["-q", "--color=no", "-p", "conftest", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *flags]
    done = subprocess.run(
        [*command, str(path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "7 passed, 5 errors" in done.stdout, done.stdout + done.stderr
    assert "AssertionError: threads left running: ['leaked']" in done.stdout
    assert "AssertionError: hooks left behind: ['test_hook.<locals>.<lambda>']" in done.stdout
    assert "AssertionError: left behind: [\"QWidget ''\"]" in done.stdout
    assert "AssertionError: left behind: [\"QTimer ''\"]" in done.stdout
    assert "AssertionError: left behind: ['an application whose loop" in done.stdout
