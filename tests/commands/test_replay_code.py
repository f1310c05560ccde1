"""A picture of a person's own network is replayed only where the person allows its code to run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ldam_studio.cli import main

CODE = """
from pathlib import Path
from torch import nn

def model():
    with open("ran.txt", "a") as file:
        file.write("x")
    layers = nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(400, 5)
    module = nn.Sequential(*layers)
    module.pixels = dict(channels=1, height=12, width=12, mean=[0.5], std=[0.25], rest=0.5)
    return module
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def render() -> None:
    Path("mine.py").write_text(CODE)
    words = "--network mine.py:model --neuron 3:1 --chains 2 --steps 5 --burn-in 0 --out out"
    assert main(["render", *words.split()]) == 0
    Path("ran.txt").unlink()


def test_code_is_not_run_without_the_flag_that_the_sentence_names(
    capsys: pytest.CaptureFixture[str],
):
    render()
    capsys.readouterr()
    assert main(["replay", "out/average.png"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "mine.py:model is Python code from outside this program" in captured.err
    assert "replay with --allow-code" in captured.err
    assert not Path("ran.txt").exists()


@pytest.mark.parametrize("moved", [False, True], ids=["where it was", "beside the picture"])
def test_code_that_is_allowed_gives_the_same_pixels(
    capsys: pytest.CaptureFixture[str], moved: bool
):
    render()
    if moved:
        Path("mine.py").rename("out/mine.py")
    capsys.readouterr()
    assert main(["replay", "out/average.png", "--allow-code", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["identical"] and found["steps"] == 5
    assert Path("ran.txt").exists()


def test_code_with_other_weights_is_refused(capsys: pytest.CaptureFixture[str]):
    render()
    Path("mine.py").write_text(
        CODE.replace("return module", "module[0].weight.data += 1; return module")
    )
    assert main(["replay", "out/average.png", "--allow-code"]) == 2
    assert "are not those that were used" in capsys.readouterr().err


def test_code_that_is_named_gives_the_same_pixels(capsys: pytest.CaptureFixture[str]):
    render()
    Path("elsewhere").mkdir()
    Path("mine.py").rename("elsewhere/renamed.py")
    capsys.readouterr()
    words = ["replay", "out/average.png", "--json", "--network"]
    assert main([*words, "elsewhere/renamed.py:model"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]
    assert main([*words, "lenet"]) == 2
    assert "--network takes your own code, as FILE.py:FUNCTION" in capsys.readouterr().err


def test_the_sentence_names_the_code_beside_the_picture(capsys: pytest.CaptureFixture[str]):
    render()
    Path("mine.py").rename("out/mine.py")
    capsys.readouterr()
    assert main(["replay", "out/average.png"]) == 2
    said = capsys.readouterr().err
    assert "name it: --network out/mine.py:model" in said
    assert not Path("ran.txt").exists()
    assert main(["replay", "out/average.png", "--network", "out/mine.py:model"]) == 0
