"""The atlas as a process of another program: it says how far it is, and does not outlive it."""

from __future__ import annotations

import subprocess

import psutil
import pytest

from ldam_studio.atlas.command import Progress, program
from ldam_studio.cli import main
from ldam_studio.commands.shared import background
from ldam_studio.progress import Stage

PATIENCE_S = 120


def test_progress_is_lines_that_can_be_read(capsys):
    lines = background.Lines()
    lines.tell(Stage("drawing", 1, 9))
    lines.tell(Stage("drawing", 2, 9))  # too soon
    lines.tell(Stage("drawing", 9, 9))
    said = [Progress.of(line.encode()) for line in capsys.readouterr().out.splitlines()]
    assert said == [Progress("drawing", 1, 9), Progress("drawing", 9, 9)]
    assert Progress.of(b'{"drawn": 3}') is None
    assert Progress.of(b"\xff") is None


def test_other_weights_than_those_that_were_asked_for_are_refused(capsys, tmp_path):
    out = tmp_path / "atlas"
    assert main(["atlas", "--network=lenet", "--weights-sha256=00", f"--out={out}"]) == 2
    assert "The weights of lenet have changed meanwhile" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.thorough
def test_it_ends_with_its_workers_once_its_input_is_closed(tmp_path):
    flags = ["--layers=fc1", "--workers=1", "--chains=1", f"--out={tmp_path / 'atlas'}"]
    with subprocess.Popen(
        [*program(), *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        for line in process.stdout:
            progress = Progress.of(line)
            if progress is not None and progress.done:
                break
        own = psutil.Process(process.pid)
        assert own.nice() != psutil.Process().nice()
        workers = own.children(recursive=True)
        assert workers
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 130
        _gone, alive = psutil.wait_procs(workers, PATIENCE_S)
        assert not alive
    assert list((tmp_path / "atlas" / "fc1").glob("*.png"))
