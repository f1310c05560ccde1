"""`ldam-studio render` says whether the chains agree."""

import json

from ldam_studio.cli import main

WORDS = ("render", "--network", "lenet", "--neuron", "4", "--burn-in", "1")


def rendered(capsys, tmp_path, *words):
    assert main([*WORDS, "--out", str(tmp_path), *words]) == 0
    return capsys.readouterr().out


def test_the_report_has_a_verdict_on_each_neuron(capsys, tmp_path):
    words = ("--chains", "3", "--steps", "20", "--json")
    (found,) = json.loads(rendered(capsys, tmp_path, *words))["agreement"]
    assert (found["neuron"], found["chains"]) == ("fc3:4", [1, 2, 3])
    assert found["verdict"] == "too early"
    assert found["sentence"].startswith("Too early to tell")


def test_chains_in_different_images_are_told_to_disagree(capsys, tmp_path):
    words = ("--chains", "3", "--steps", "300", "--temperature", "0.01")
    assert "The chains still disagree" in rendered(capsys, tmp_path, *words)


def test_one_chain_is_not_talked_about(capsys, tmp_path):
    assert "chains" not in rendered(capsys, tmp_path, "--chains", "1", "--steps", "5").lower()
