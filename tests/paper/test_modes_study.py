"""Base against averaged parameters over trainings: what is trained, kept and reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ldam_studio.cli import main
from ldam_studio.commands.paper import modes_of_twins as study
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import mnist
from ldam_studio.networks.models import vgg
from ldam_studio.training import classifier
from ldam_studio.training import classifier_recipes as recipes
from synthetic import write_cifar10, write_mnist

SHORT = "--epochs 1 --quick --chains 2 --cooling 2 --averaged 1".split()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("digits"))


@pytest.mark.thorough
def test_what_is_there_is_not_done_again(digits, tmp_path, capsys, monkeypatch) -> None:
    flags = ["--data", str(digits), "--out", str(tmp_path), *SHORT]
    assert main(["paper", "modes", *flags]) == 0
    told = capsys.readouterr().out
    assert "2 trainings and 10 class neurons" in told and "real images of a class" in told
    path = tmp_path / "modes-lenet.json"
    first = json.loads(path.read_text())
    assert [len(side) for seed in first["by_seed"] for side in seed.values()] == [10] * 4
    for measure, gap in first["means"]["averaged minus last epoch"].items():
        sides = (first["means"][n] for n in ("averaged parameters", "last epoch"))
        after, before = (side[measure]["value"] for side in sides)
        assert gap["value"] == pytest.approx(after - before, abs=2e-4)
        assert gap["low"] <= gap["value"] <= gap["high"]
    assert (tmp_path / "lenet-seed-1" / "modes-lenet-averaged.png").is_file()

    def never(*_: object, **__: object) -> int:
        raise AssertionError("done again")

    monkeypatch.setattr(mnist, "run", never)
    monkeypatch.setattr(study, "examine", never)
    assert main(["paper", "modes", *flags]) == 0
    assert json.loads(path.read_text()) == first

    def stop(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "examine", stop)
    capsys.readouterr()
    assert main(["paper", "modes", *flags, "--averaged", "2"]) == INTERRUPTED  # another plan
    assert json.loads(path.read_text()) == first

    (tmp_path / "lenet-seed-0" / "modes.json").write_text('{"chains": ')
    assert main(["paper", "modes", *flags]) == 2
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_vgg_goes_on_where_it_was_stopped(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(vgg, "BLOCKS", ((4, 4), (4,), (4,), (8,)))
    recipe = replace(recipes.VGG_RECIPE, batch=10, average_epochs=1)
    monkeypatch.setattr(recipes, "VGG_RECIPE", recipe)
    data = write_cifar10(tmp_path / "data", train=20)
    flags = ["--network", "vgg", "--data", str(data), "--out", str(tmp_path), *SHORT]
    flags += ["--epochs", "2"]
    predict, calls = classifier.predict, []

    def stop_in_the_second_epoch(*args: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return predict(*args)

    monkeypatch.setattr(classifier, "predict", stop_in_the_second_epoch)
    assert main(["paper", "modes", *flags]) == INTERRUPTED
    assert "--resume continues" in capsys.readouterr().out
    assert main(["paper", "modes", *flags]) == 0
    # One epoch was left of the first training, and two of the second, before its last accuracies.
    assert len(calls) == 2 + 1 + 2 + 2 + 2
    assert (tmp_path / "modes-vgg.json").is_file()


def test_missing_data_is_one_sentence(tmp_path, capsys) -> None:
    flags = ["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out"), *SHORT]
    assert main(["paper", "modes", *flags]) == 2
    told = capsys.readouterr().err
    assert "nowhere" in told and told.count("\n") == 1
