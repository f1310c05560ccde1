"""`ldam-studio sheet` from the command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from ldam_studio.cli import main
from ldam_studio.commands import sheet
from ldam_studio.explore.sheets import making
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.networks.sources.opening import open_network

FAST = ("--steps", "20", "--chains", "2", "--burn-in", "0")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    assert main(["sheet", *words, *FAST, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_layer_becomes_a_page_and_a_folder_that_replay(tmp_path, capsys):
    page = tmp_path / "page.png"
    report = run(capsys, "--layer", "conv1", "--neurons", "0-2", "--out", str(page))
    assert [row["neuron"] for row in report["neurons"]] == ["conv1:0", "conv1:1", "conv1:2"]
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == [
        "conv1-0.png",
        "conv1-1.png",
        "conv1-2.png",
        "index.json",
    ]
    assert main(["replay", str(page)]) == 0
    assert "identical" in capsys.readouterr().out
    assert main(["replay", str(tmp_path / "page" / "conv1-2.png")]) == 0


def test_the_same_command_again_draws_nothing(tmp_path, capsys, monkeypatch):
    words = ("--neurons", "3", "--out", str(tmp_path / "a.png"))
    run(capsys, *words)
    before = (tmp_path / "a.png").read_bytes()
    monkeypatch.setattr(making, "draw", None)
    run(capsys, *words)
    assert (tmp_path / "a.png").read_bytes() == before


def test_settings_are_flags_and_kept_as_they_are_given(tmp_path, capsys):
    out = tmp_path / "a.png"
    run(capsys, "--layer", "conv2", "--neurons", "1", "--smoothness", "0.03", "--out", str(out))
    settings = read_recipe(out).said.end.lanes[0].settings
    assert settings["smoothness"] == 0.03
    assert settings["burn_in"] == 0


def test_ctrl_c_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    true_draw = making.draw

    def draw(spec, neuron, on_step):
        if neuron.index == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return true_draw(spec, neuron, on_step)

    monkeypatch.setattr(making, "draw", draw)
    words = ["sheet", *FAST, "--layer", "conv1", "--neurons", "0-2"]
    words += ["--out", str(tmp_path / "a.png")]
    assert main(words) == 130
    assert "stopped after 1 of 3 neurons; the same command goes on" in capsys.readouterr().err
    monkeypatch.setattr(making, "draw", true_draw)
    assert main(words) == 0
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize(
    ("layer", "texts", "found"),
    [
        (None, None, [f"fc3:{number}" for number in range(10)]),
        (None, ["0,2-3"], ["fc3:0", "fc3:2", "fc3:3"]),
        (None, ["conv1:1", "conv1:1"], ["conv1:1"]),
        ("conv1", ["1, 0"], ["conv1:1", "conv1:0"]),
        ("conv1", ["conv1:2@mean"], ["conv1:2@mean"]),
    ],
)
def test_neurons_are_chosen_by_number_range_and_address(layer, texts, found):
    assert [str(n) for n in sheet.chosen(open_network("lenet"), layer, texts)] == found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--layer", "nowhere"], "nowhere"),
        (["--layer", "conv1", "--neurons", "9"], "neurons 0 to 5, not 9"),
        (["--neurons", "5-2"], "reversed"),
        (["--neurons", "0-999999"], "too long"),
        (["--neurons", "a,b"], "is not a neuron"),
        (["--layer", "conv1", "--neurons", "fc3:1"], "neurons of one layer"),
        (["--neurons", "fc3:1", "--neurons", "fc2:1"], "neurons of one layer"),
        (["--chains", "0"], "--chains must lie between 1 and 64"),
        (["--steps", "0"], "--steps must lie between"),
        (["--thin", "30", "--steps", "20"], "no sample"),
        (["--sort", "colour"], "invalid choice"),
        (["--display", "loud"], "display must be one of"),
        (["--out", "page.jpg"], "not named so"),
        (["--out", "/proc/a/page.png"], "/proc/a"),
        (["--preset", "none"], "no preset"),
    ],
)
def test_bad_input_is_one_sentence(words, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["sheet", *words])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not list(Path(tmp_path).rglob("*.png"))
