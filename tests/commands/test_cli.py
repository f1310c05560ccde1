"""The command line itself: what it imports, how it fails, that help is quick."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ldam_studio import __version__, assets, cli
from ldam_studio.errors import StudioError

HEAVY = "torch PyQt6 pyqtgraph superqt numpy PIL rich".split()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]):
    program = (
        "import sys\nfrom ldam_studio.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        f"finally:\n    print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_program():
    done = subprocess.run(
        [sys.executable, "-m", "ldam_studio", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == f"ldam-studio {__version__}"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"ldam-studio {command}" in capsys.readouterr().out


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """Replace the window's command, and note what it is called with."""
    calls: list[argparse.Namespace] = []
    command = importlib.import_module("ldam_studio.commands.studio")
    monkeypatch.setattr(command, "run", lambda args: calls.append(args) or 0)
    return calls


@pytest.mark.parametrize("words", [[], ["--fresh"], ["studio"], ["studio", "a.ldam"], ["a.ldam"]])
def test_no_command_means_the_window(calls: list[argparse.Namespace], words: list[str]):
    assert cli.main(words) == 0
    (args,) = calls
    assert args.fresh is ("--fresh" in words)
    assert args.file == (Path("a.ldam") if "a.ldam" in words else None)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (StudioError("The disk is full; make room."), 2, "ldam-studio: The disk is full"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    said: str,
):
    def run(_args: argparse.Namespace) -> int:
        raise raised

    command = importlib.import_module("ldam_studio.commands.studio")
    monkeypatch.setattr(command, "run", run)
    assert cli.main([]) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_missing_asset_is_one_sentence():
    assert assets.asset("models").is_dir()
    with pytest.raises(StudioError, match=r"models/none\.bin is missing"):
        assets.asset("models", "none.bin")


@pytest.mark.parametrize(
    ("neuron", "shown"), [("-fc3:4", "-fc3:4"), ("-4", "-fc3:4"), ("-FOUR", "-fc3:0")]
)
def test_a_neuron_with_a_sign_is_no_flag(tmp_path, capsys, neuron, shown):
    labels = tmp_path / "labels.txt"
    labels.write_text("four\n1\n2\n3\n4\n5\n6\n7\n8\n9\n")
    words = ["render", "--neuron", neuron, "--chains", "1", "--steps", "1", "--json"]
    words += ["--network", "lenet", "--labels", str(labels)]
    assert cli.main([*words, "--out", str(tmp_path)]) == 0
    assert f'"{shown}"' in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--steps", "-h"])
def test_a_flag_behind_neuron_stays_one(flag):
    assert cli._with_signs(["--neuron", flag]) == ["--neuron", flag]


PRINTS = """
import sys
from types import SimpleNamespace
from ldam_studio.cli import main
# In place of a command that would load torch for seconds.
said = SimpleNamespace(add_arguments=lambda _: None, run=lambda _: print("a layer") or 0)
sys.modules["ldam_studio.commands.info"] = said
sys.exit(main(["info"]))
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize(("to", "code"), [("> /dev/full", 2), ("| true", 141)])
def test_output_that_cannot_be_written_is_no_traceback(to, code):
    command = f'set -o pipefail; {sys.executable} -c "$PRINTS" {to}'
    env = os.environ | {"PRINTS": PRINTS}
    done = subprocess.run(
        ["bash", "-c", command], env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in (code, 0)  # a short output may fit into a pipe that nobody reads
    if code == 2:
        assert (
            done.stderr == "ldam-studio: the output cannot be written (No space left on device).\n"
        )


def test_letters_that_the_terminal_lacks_are_escaped():
    program = "from ldam_studio.cli import main; raise SystemExit(main(['größer']))"
    env = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ldam-studio: ")
    assert "'gr\\xf6\\xdfer'" in done.stderr and "Traceback" not in done.stderr
