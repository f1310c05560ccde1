"""Trainings that were stopped and go on: to the same weights as those that were not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ldam_studio.analysis import judging
from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import discriminator_jobs
from ldam_studio.commands.train import discriminator_recipes as recipes
from ldam_studio.engine.adversarial import rounds
from ldam_studio.networks.models import vgg
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.training import classifier
from synthetic import write_cifar10, write_mnist
from thinned import one_in


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cifar10(tmp_path_factory.mktemp("pictures"), train=20)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that take a moment."""
    monkeypatch.setattr(vgg, "BLOCKS", ((4, 4), (4,), (4,), (8,)))
    values = {"chains": 12, "batch": 4, "steps": 2, "learning_batch": 3, "learning_steps": 2}
    for name in ("DIGIT_RECIPE", "COLOUR_RECIPE"):
        monkeypatch.setattr(recipes, name, replace(getattr(recipes, name), **values))
    for name in ("SNAPSHOT_ROUNDS", "COLOUR_SNAPSHOT_ROUNDS"):
        monkeypatch.setattr(discriminator_jobs, name, 2)
    monkeypatch.setitem(
        judging.KINDS,
        "cifar10",
        replace(judging.COLOUR, recipe=replace(judging.COLOUR.recipe, batch=10, epochs=3)),
    )


def stopped_at(call: int, function: Callable) -> Callable:
    """Return a function that is interrupted as it is called for so many times."""
    calls = []

    def stopping(*given, **named):
        calls.append(function)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*given, **named)

    return stopping


def weights_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.safetensors")}


def check_resumes(words: list[str], out: Path, where: tuple[object, str, int], monkeypatch) -> None:
    """See that a training ends in the same files whether it is interrupted there or not."""
    whole, broken = out / "whole", out / "broken"
    assert main(["train", *words, "--out", str(whole)]) == 0
    module, name, call = where
    with monkeypatch.context() as patch:
        patch.setattr(module, name, stopped_at(call, getattr(module, name)))
        assert main(["train", *words, "--out", str(broken)]) == INTERRUPTED
    assert weights_in(whole) != weights_in(broken)
    assert main(["train", *words, "--out", str(broken), "--resume"]) == 0
    assert weights_in(whole) == weights_in(broken)


def test_mnist(digits, tmp_path, monkeypatch, capsys) -> None:
    words = ["mnist", "--data", str(digits), "--epochs", "3", "--seeds", "2"]
    # In the second epoch of the second run; the first is gone on with, too, and is done already.
    check_resumes(words, tmp_path, (classifier, "predict", 6), monkeypatch)
    told = capsys.readouterr().out.splitlines()
    assert "seed 1: stopped; epoch 1 of 3 is the last that was saved; --resume continues" in told[4]
    assert told[:3] == told[5:] and told[2].startswith("mean of 2: base")


@pytest.mark.parametrize("of", one_in(2, ["mnist", "cifar10"]))
def test_judge(of, digits, pictures, tmp_path, monkeypatch, capsys, small) -> None:
    data = {"mnist": digits, "cifar10": pictures}[of]
    words = ["judge", "--of", of, "--data", str(data), "--epochs", "3"]
    steps = len(judging.KINDS[of].load(data, "train", False)) // judging.KINDS[of].recipe.batch
    check_resumes(words, tmp_path, (classifier, "_varied", steps + 2), monkeypatch)
    assert "stopped; epoch 1 of 3 is the last that was saved" in capsys.readouterr().out


@pytest.mark.parametrize("of", one_in(2, ["lenet", "vgg"]))
def test_discriminator(of, digits, pictures, tmp_path, monkeypatch, capsys, small) -> None:
    words = ["discriminator", "--network", of, "--rounds", "5", "--chains-per-class", "0"]
    words += ["--data", str({"lenet": digits, "vgg": pictures}[of])]
    if of == "vgg":
        write_weights(tmp_path / "vgg.safetensors", vgg.Vgg().state_dict(), {})
        words += ["--weights", str(tmp_path / "vgg.safetensors")]
    check_resumes(words, tmp_path, (rounds, "learn_from_pool", 4), monkeypatch)
    assert "stopped; round 2 of 5 is the last that was saved" in capsys.readouterr().out


def test_a_discriminator_that_is_done_is_only_measured_again(
    digits, tmp_path, monkeypatch, capsys, small
) -> None:
    words = ["discriminator", "--data", str(digits), "--rounds", "3", "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr(discriminator_jobs.measures, "measure_digits", stopped_at(1, lambda: None))
        assert main(["train", *words]) == INTERRUPTED
    assert "stopped; round 3 of 3 is the last that was saved" in capsys.readouterr().out
    monkeypatch.setattr(rounds, "learn_from_pool", stopped_at(1, rounds.learn_from_pool))
    assert main(["train", *words, "--chains-per-class", "0", "--resume"]) == 0
    assert "mean P(real) of real images while learning, last round" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["mnist", "judge", "discriminator"])
def test_what_cannot_be_gone_on_with_is_one_sentence(
    command, digits, tmp_path, capsys, small
) -> None:
    words = ["train", command, "--data", str(digits), "--out", str(tmp_path)]
    words += ["--rounds", "2", "--chains-per-class", "0"] * (command == "discriminator")
    words += ["--epochs", "1"] * (command != "discriminator")

    def told(*more: str) -> str:
        assert main([*words, *more, "--resume"]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    assert "There is no run to resume in" in told()
    assert main(words) == 0
    capsys.readouterr()
    assert "or start a new run" in told("--seed", "7")
    (run,) = tmp_path.glob("*run.pt")
    kept = torch.load(run, weights_only=True)
    for part in ("module", "training"):
        kept.pop(part, None)
    torch.save(kept, run)
    assert "is damaged; start a new run" in told()
