"""The command that counts modes: what it prints, writes and refuses."""

from __future__ import annotations

import json

import pytest
from PIL import Image

import colour_networks
from ldam_studio.cli import main

SHORT = "--chains 3 --cooling 4 --averaged 2".split()


def test_two_networks_are_held_against_each_other(tmp_path, capsys):
    words = "modes --against lenet-averaged --neuron fc3:0-1 --seeds 2".split()
    assert main([*words, *SHORT, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "second minus first" in printed
    for name in ("modes", "modes-against"):
        figures = json.loads((tmp_path / f"{name}.json").read_text())
        assert len(figures["by_neuron"]) == 4
        for one in figures["by_neuron"]:
            assert sum(one["shares"]) == pytest.approx(1.0, abs=1e-3)
            assert len(one["shares"]) == one["modes"]
        assert set(figures["difference"]) == set(figures["means"])
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.width > 100


def test_real_images_say_how_alike_one_mode_is(tmp_path, capsys):
    assert main(["modes", "--neuron", "fc3:0", *SHORT, "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "modes.json").read_text())
    assert 0.4 < found["similarity"] < 0.65
    assert 1 <= found["real_images"]["modes"] <= found["chains"]
    assert "real images of a class: modes" in capsys.readouterr().out
    words = ["--neuron", "fc3:0", "--similarity", "-1", *SHORT, "--out", str(tmp_path)]
    assert main(["modes", *words]) == 0
    found = json.loads((tmp_path / "modes.json").read_text())
    assert found["similarity"] == -1 and found["real_images"]["modes"] == 1


def test_a_network_of_ones_own_has_no_real_images(tmp_path, capsys):
    words = ["modes", "--network", f"{colour_networks.__file__}:plain", "--neuron", "6:0"]
    assert main([*words, *SHORT, "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "modes.json").read_text())
    assert found["similarity"] == 0.5 and found["real_images"] == {}
    assert "real images" not in capsys.readouterr().out


def test_a_layer_can_be_named(tmp_path, capsys):
    assert main(["modes", "--neuron", "conv2:3", *SHORT, "--out", str(tmp_path)]) == 0
    assert "lenet" in capsys.readouterr().out
    assert not (tmp_path / "modes-against.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--similarity 1.5", "between -1 and 1"),
        ("--similarity high", "must be a number"),
        ("--chains 0", "--chains must lie between"),
        ("--neuron fc3:10", "neurons 0 to 9"),
        ("--neuron fc3:1 --neuron fc2:1", "one layer"),
        ("--against-weights x.pt", "--against"),
        ("--against nothing", "There is no network"),
        ("--temperature -1", "Temperature"),
        ("--thin 2", "--thin cannot be used here"),
        ("--burn-in 50", "--burn-in cannot be used here"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, words, sentence):
    assert main(["modes", *words.split(), *SHORT, "--out", str(tmp_path / "new")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
