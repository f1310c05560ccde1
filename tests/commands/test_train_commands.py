"""The training commands on a tiny data set: what they write, print and refuse."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ldam_studio.analysis import judging
from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import discriminator_jobs, discriminator_measures
from ldam_studio.commands.train import discriminator_recipes as recipes
from ldam_studio.engine.adversarial import rounds
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training import classifier
from synthetic import write_mnist


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mnist(tmp_path_factory.mktemp("digits"))


def test_mnist_writes_weights_snapshots_and_cards(digits, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    flags = ["--data", str(digits), "--out", str(out), "--epochs", "2"]
    assert main(["train", "mnist", *flags, "--seeds", "2", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    number = r"\d+\.\d\d%"
    line = f"base {number}, averaged parameters {number}, averaged predictions {number}"
    for start in ("seed 3", "seed 4", "mean of 2"):
        assert re.search(f"{start}: {line}", printed)
    for folder, seed in ((out, 3), (out / "seed-4", 4)):
        for name in ("lenet", "lenet-averaged"):
            weights, card = folder / f"{name}.safetensors", (folder / f"{name}.md").read_text()
            assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
            assert f"--seed {seed} --epochs 2" in card and "CC BY-SA" in card
            assert open_network(name, weights).sha256 in card
        snapshots = sorted(p.name for p in (folder / "epochs").iterdir())
        assert snapshots == ["lenet-01.safetensors", "lenet-02.safetensors"]
    last = (out / "epochs" / "lenet-02.safetensors", out / "lenet.safetensors")
    first, second = (load_file(path) for path in last)
    assert all(bool((first[name] == second[name]).all()) for name in first)


def test_mnist_gives_the_same_file_from_the_same_seed(digits, tmp_path) -> None:
    files = []
    for name in ("a", "b"):
        flags = ["--data", str(digits), "--out", str(tmp_path / name), "--epochs", "1"]
        assert main(["train", "mnist", *flags]) == 0
        files.append((tmp_path / name / "lenet-averaged.safetensors").read_bytes())
    assert files[0] == files[1]


def test_mnist_stopped_leaves_whole_snapshots(digits, tmp_path, capsys, monkeypatch) -> None:
    predict = classifier.predict
    calls = []

    def stop_at_second(module, test):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return predict(module, test)

    monkeypatch.setattr(classifier, "predict", stop_at_second)
    flags = ["--data", str(digits), "--out", str(tmp_path), "--epochs", "3"]
    assert main(["train", "mnist", *flags]) == INTERRUPTED
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["lenet-01.safetensors", "run.pt"]
    open_network("lenet", tmp_path / "epochs" / "lenet-01.safetensors")
    assert "seed 0: stopped; epoch 1 of 3 is the last that was saved" in capsys.readouterr().out


def test_judge_is_trained_where_it_is_missing(digits, tmp_path, monkeypatch) -> None:
    kind = replace(judging.DIGITS, name="another", recipe=judging.DIGITS.recipe.with_epochs(1))
    monkeypatch.setattr(judging, "cache_folder", lambda: tmp_path)
    module = judging.open_judge(digits, kind=kind)
    written = (tmp_path / "another.safetensors").read_bytes()
    judging.open_judge(tmp_path / "no data needed now", kind=kind)
    assert (tmp_path / "another.safetensors").read_bytes() == written
    assert not module.training and not any(p.requires_grad for p in module.parameters())


def test_judge_command(digits, tmp_path, capsys, monkeypatch) -> None:
    flags = ["--data", str(digits), "--out", str(tmp_path), "--epochs", "1"]
    assert main(["train", "judge", *flags]) == 0
    assert "judge, seed 4711:" in capsys.readouterr().out
    assert "--epochs 1" in (tmp_path / "judge.md").read_text()

    def stop(*_: object, **_named: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("ldam_studio.commands.train.judge.train_judge", stop)
    assert main(["train", "judge", *flags]) == INTERRUPTED


@pytest.fixture
def few_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that takes a moment."""

    small = replace(recipes.DIGIT_RECIPE, chains=20, batch=6, steps=2)
    monkeypatch.setattr(recipes, "DIGIT_RECIPE", small)
    monkeypatch.setattr(discriminator_jobs, "SNAPSHOT_ROUNDS", 2)
    monkeypatch.setattr(discriminator_measures, "DIGIT_STEPS", 2)


def test_discriminator_writes_what_can_be_opened(digits, tmp_path, capsys, few_chains) -> None:
    files = []
    for name in ("a", "b"):
        out = tmp_path / name
        flags = ["--data", str(digits), "--out", str(out), "--rounds", "3"]
        assert main(["train", "discriminator", *flags, "--chains-per-class", "0"]) == 0
        files.append((out / "lenet-discriminator.safetensors").read_bytes())
        snapshots = [p.name for p in (out / "rounds").iterdir()]
        assert snapshots == ["lenet-discriminator-0002.safetensors"]
    assert files[0] == files[1]
    model = open_discriminator(weights=out / "lenet-discriminator.safetensors")
    card = (out / "lenet-discriminator.md").read_text()
    assert model.sha256 in card and "--rounds 3" in card
    assert "of real images while learning" in capsys.readouterr().out


def test_its_learning_rate_falls_from_the_first_round_to_the_last() -> None:
    recipe = replace(
        recipes.DIGIT_RECIPE,
        chains=2,
        batch=1,
        steps=1,
        rounds=3,
        learning_batch=2,
        rates=(4e-3, 2e-3),
    )
    training = rounds.start(open_network("lenet"), recipe, 0)
    (group,) = training.learner.optimiser.param_groups
    seen = [group["lr"] for _ in rounds.train(training, recipe, lambda: torch.rand(4, 1, 28, 28))]
    assert seen == pytest.approx([4e-3, 3e-3, 2e-3])
    assert "Adam (0.004, linearly down to 0.002, betas" in recipe.describe()


def test_half_of_its_starts_are_cloudy_where_the_recipe_says_so() -> None:
    def roughness(clouds: float) -> torch.Tensor:
        recipe = replace(recipes.DIGIT_RECIPE, chains=200, batch=1, greys=(0, 0), clouds=clouds)
        x = rounds.start(open_network("lenet"), recipe, 0).chains.x
        return x.diff(dim=-1).abs().mean((1, 2, 3)) / x.std((1, 2, 3))

    shares = (roughness(1.0) < 0.9 * roughness(0.0)).float().mean()
    assert 0.4 < float(shares) < 0.6
    assert (
        "half of the starts of spectrum 1" in replace(recipes.DIGIT_RECIPE, clouds=1.0).describe()
    )


def test_discriminator_is_measured_for_its_card(digits, tmp_path, few_chains, monkeypatch) -> None:
    from ldam_studio.analysis import digits as measures

    monkeypatch.setattr(measures, "MELT_STEPS", 1)
    monkeypatch.setattr(measures, "COLLAPSE_STEPS", 1)
    flags = ["--data", str(digits), "--out", str(tmp_path), "--rounds", "1"]
    assert main(["train", "discriminator", *flags, "--chains-per-class", "1"]) == 0
    card = (tmp_path / "lenet-discriminator.md").read_text()
    for weight in ("0", "0.8", "1"):
        assert f"judge agrees at weight {weight} (1 fresh chains a class, 2 steps)" in card
    assert "melted and collapsed" in card and "share of background" in card


def test_discriminator_stopped_leaves_whole_snapshots(
    digits, tmp_path, capsys, few_chains, monkeypatch
) -> None:
    learn, calls = rounds.learn_from_pool, []

    def stop_at_fourth(*args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return learn(*args)

    monkeypatch.setattr(rounds, "learn_from_pool", stop_at_fourth)
    flags = ["--data", str(digits), "--out", str(tmp_path), "--rounds", "9"]
    assert main(["train", "discriminator", *flags]) == INTERRUPTED
    files = sorted(tmp_path.rglob("*.*"))
    assert [p.name for p in files] == ["lenet-discriminator-0002.safetensors", "run.pt"]
    open_discriminator(weights=files[0])
    assert "stopped; round 2 of 9 is the last that was saved" in capsys.readouterr().out


def test_digits_sheet_command(tmp_path, capsys) -> None:
    data = write_mnist(tmp_path / "data", train=5000)
    assert main(["train", "digits-sheet", "--data", str(data), "--out", str(tmp_path)]) == 0
    sheet = (tmp_path / "digits.png").read_bytes()
    assert hashlib.sha256(sheet).hexdigest() in (tmp_path / "digits.md").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mnist --seeds 0", "--seeds"),
        ("mnist --epochs 0", "--epochs"),
        ("mnist --seed -1", "--seed"),
        ("mnist --seed one", "--seed"),
        ("judge --epochs 0", "--epochs"),
        ("discriminator --rounds 0", "--rounds"),
        ("discriminator --network alexnet", "alexnet"),
        ("discriminator --shape vgg16", "only for the discriminator of CIFAR-10"),
        ("discriminator --chains-per-class -1", "--chains-per-class"),
    ],
)
def test_flags_out_of_range_are_one_sentence(words, expected, digits, tmp_path, capsys) -> None:
    flags = ["--data", str(digits), "--out", str(tmp_path / "out")]
    assert main(["train", *words.split(), *flags]) == 2
    told = capsys.readouterr()
    assert expected in told.err and told.err.count("\n") == 1 and not told.out
    assert not list((tmp_path / "out").glob("**/*"))


@pytest.mark.parametrize("command", ["mnist", "judge", "discriminator", "digits-sheet"])
def test_missing_data_is_one_sentence(command, tmp_path, capsys) -> None:
    flags = ["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]
    assert main(["train", command, *flags]) == 2
    told = capsys.readouterr()
    assert "nowhere" in told.err and told.err.count("\n") == 1
    assert not list((tmp_path / "out").glob("**/*"))


def test_a_folder_that_cannot_be_written_is_one_sentence(digits, tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("in the way")
    flags = ["--data", str(digits), "--out", str(tmp_path / "file"), "--epochs", "1"]
    assert main(["train", "mnist", *flags]) == 2
    assert "cannot be written" in capsys.readouterr().err
