"""Training on CIFAR-10, small: what the commands write, print and refuse."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ldam_studio.analysis import judging as judge
from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train import cifar10 as train_cifar10
from ldam_studio.commands.train import discriminator_measures
from ldam_studio.commands.train import discriminator_recipes as recipes
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, open_discriminator
from ldam_studio.networks.models import vgg
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.training import classifier, classifier_recipes
from ldam_studio.training.cifar10 import load_cifar10
from synthetic import write_cifar10
from thinned import one_in


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cifar10(tmp_path_factory.mktemp("pictures"), train=20)


@pytest.fixture(autouse=True)
def small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg, "BLOCKS", ((4, 4), (4,), (4,), (8,)))
    recipe = replace(classifier_recipes.VGG_RECIPE, batch=10, epochs=2, average_epochs=1)
    monkeypatch.setattr(classifier_recipes, "VGG_RECIPE", recipe)
    kind = replace(judge.COLOUR, recipe=replace(judge.COLOUR.recipe, batch=10, epochs=1))
    monkeypatch.setattr(judge, "COLOUR", kind)
    monkeypatch.setitem(judge.KINDS, "cifar10", kind)
    # Whatever the processor has: no steps are tried before those of the training.
    monkeypatch.setattr(train_cifar10, "computes_in_bfloat16", lambda _: False)


def train(pictures: Path, out: Path, *flags: str) -> int:
    return main(["train", "cifar10", "--data", str(pictures), "--out", str(out), *flags])


def test_it_writes_weights_epochs_and_cards(pictures, tmp_path, capsys) -> None:
    assert train(pictures, tmp_path, "--epochs", "2") == 0
    told = capsys.readouterr().out
    assert "epoch 2: loss" in told and "min left" in told and "averaged parameters" in told
    names = sorted(p.name for p in tmp_path.rglob("*.safetensors"))
    epochs = ["vgg-01.safetensors", "vgg-02.safetensors"]
    assert names == [*epochs, "vgg-averaged.safetensors", "vgg.safetensors"]
    assert "averaged parameters" in (tmp_path / "vgg-averaged.md").read_text()


def test_precision_is_what_is_faster_unless_asked_for(pictures, tmp_path, monkeypatch) -> None:
    for has, seconds, asked, half in (
        (True, 0.5, "auto", True),
        (True, 2.0, "auto", False),
        (False, 0.5, "auto", False),
        (True, 0.5, "float32", False),
        (False, 2.0, "bfloat16", True),
    ):
        monkeypatch.setattr(train_cifar10, "computes_in_bfloat16", lambda _, has=has: has)
        times = {True: seconds, False: 1.0}
        monkeypatch.setattr(train_cifar10, "_seconds", lambda r, _i, times=times: times[r.bfloat16])
        out = tmp_path / f"{has}-{seconds}-{asked}"
        assert train(pictures, out, "--epochs", "1", "--precision", asked) == 0
        card = (out / "vgg.md").read_text()
        assert ("products in bfloat16" in card) is half
        assert f"--precision {'bfloat16' if half else 'float32'}" in card


def test_precision_is_tried_on_steps_and_kept_by_what_goes_on(
    pictures, tmp_path, monkeypatch
) -> None:
    images = load_cifar10(pictures, "train")
    assert train_cifar10._seconds(classifier_recipes.VGG_RECIPE, images) > 0
    assert train(pictures, tmp_path, "--epochs", "1", "--precision", "bfloat16") == 0
    monkeypatch.setattr(train_cifar10, "_faster_in_bfloat16", lambda *_: False)
    assert train(pictures, tmp_path, "--epochs", "1", "--resume") == 0
    assert "products in bfloat16" in (tmp_path / "vgg.md").read_text()


def test_a_run_in_another_precision_is_not_gone_on_with(pictures, tmp_path, capsys) -> None:
    flags = ("--epochs", "1", "--precision")
    assert train(pictures, tmp_path, *flags, "float32") == 0
    capsys.readouterr()
    assert train(pictures, tmp_path, *flags, "bfloat16", "--resume") == 2
    assert "other settings" in capsys.readouterr().err


def test_a_run_with_another_seed_is_not_gone_on_with(pictures, tmp_path, capsys) -> None:
    assert train(pictures, tmp_path, "--epochs", "1") == 0
    assert train(pictures, tmp_path, "--epochs", "1", "--resume", "--seed", "7") == 2
    assert "belongs to a run with --seed 0, not 7" in capsys.readouterr().err


def test_a_run_with_other_threads_is_not_gone_on_with(
    pictures, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda _threads: None)
    assert train(pictures, tmp_path, "--epochs", "1") == 0
    assert train(pictures, tmp_path, "--epochs", "1", "--resume", "--threads", "2") == 2
    assert "belongs to a run with --threads 1, not 2; use the same value" in capsys.readouterr().err
    run_file = tmp_path / train_cifar10.RUN_FILE
    earlier = torch.load(run_file, weights_only=True)
    del earlier["beside"]["threads"]  # as runs were kept once, which are gone on with all the same
    torch.save(earlier, run_file)
    assert train(pictures, tmp_path, "--epochs", "1", "--resume", "--threads", "2") == 0


@pytest.mark.parametrize("name", ["vgg", "vgg-averaged"])
def test_the_shipped_cards_name_the_precision_of_their_weights(name) -> None:
    card = (Path(__file__).parents[2] / "models" / f"{name}.md").read_text()
    (command,) = re.findall(r"`ldam-studio train cifar10 [^`]*`", card)
    assert ("--precision bfloat16" in command) is ("products in bfloat16" in card)
    assert "--precision" in command


def test_what_is_said_when_stopped_is_what_was_kept(
    pictures, tmp_path, capsys, monkeypatch
) -> None:
    varied, predict, calls = classifier._varied, classifier.predict, []

    def stopped_after(function, count):
        def stopping(*given, **named):
            calls.append(function)
            if len(calls) > count:
                raise KeyboardInterrupt
            return function(*given, **named)

        calls.clear()
        return stopping

    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_varied", stopped_after(varied, 1))
        assert train(pictures, tmp_path) == INTERRUPTED
    assert "stopped before the first epoch was saved; start it again" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        # While the second epoch is judged.
        patch.setattr(classifier, "predict", stopped_after(predict, 1))
        assert train(pictures, tmp_path) == INTERRUPTED
    told = capsys.readouterr().out
    assert "stopped; epoch 1 of 2 is the last that was saved; --resume continues" in told
    kept = torch.load(tmp_path / train_cifar10.RUN_FILE, weights_only=True)
    assert kept["epoch"] == 1
    kept["beside"]["seconds"] += 600
    torch.save(kept, tmp_path / train_cifar10.RUN_FILE)
    assert train(pictures, tmp_path, "--resume") == 0
    assert re.search(r" 10\.\d minutes", (tmp_path / "vgg.md").read_text())


def test_a_training_that_diverges_is_a_sentence_and_the_last_epoch_stays(
    pictures, tmp_path, capsys, monkeypatch
) -> None:
    varied, calls = classifier._varied, []

    def spoilt(*given):
        calls.append(0)
        return varied(*given) * (torch.nan if len(calls) > 2 else 1.0)

    monkeypatch.setattr(classifier, "_varied", spoilt)
    assert train(pictures, tmp_path) == 2
    assert "The training diverged in epoch 2" in capsys.readouterr().err
    assert torch.load(tmp_path / train_cifar10.RUN_FILE, weights_only=True)["epoch"] == 1
    assert [p.name for p in tmp_path.rglob("*.safetensors")] == ["vgg-01.safetensors"]


def test_the_judge_of_pictures_is_trained_and_opened(pictures, tmp_path, capsys) -> None:
    flags = ["--data", str(pictures), "--out", str(tmp_path)]
    assert main(["train", "judge", "--of", "cifar10", *flags]) == 0
    assert "cifar10-judge.safetensors" in capsys.readouterr().out
    assert "--of cifar10 --seed 4711" in (tmp_path / "cifar10-judge.md").read_text()
    module = judge.COLOUR.build().eval()
    images = torch.rand(7, 3, 32, 32)
    assert judge.features(module, images).shape == (7, 192)
    assert judge.verdicts(module, images).shape == (7,)


@pytest.mark.parametrize("shape", one_in(2, ["small", "vgg16"]))
def test_its_discriminator_is_trained_and_measured(
    shape, pictures, tmp_path, capsys, monkeypatch
) -> None:
    recipe = replace(
        recipes.COLOUR_RECIPE, chains=4, batch=2, steps=1, learning_batch=3, learning_steps=1
    )
    monkeypatch.setattr(recipes, "COLOUR_RECIPE", recipe)
    monkeypatch.setattr(discriminator_measures, "COLOUR_STEPS", 1)
    untrained = judge.COLOUR.build().eval()
    monkeypatch.setattr(discriminator_measures, "open_judge", lambda *_: untrained)
    weights = tmp_path / "vgg.safetensors"
    write_weights(weights, vgg.Vgg().state_dict(), {})
    flags = ["--network", "vgg", "--weights", str(weights), "--data", str(pictures)]
    flags += ["--out", str(tmp_path), "--rounds", "2", "--chains-per-class", "1"]
    assert main(["train", "discriminator", *flags, "--shape", shape]) == 0
    assert "judge agrees" in capsys.readouterr().out
    file = tmp_path / "cifar10-discriminator.safetensors"
    model = open_discriminator(CIFAR_DISCRIMINATOR, file)
    card = file.with_suffix(".md").read_text()
    assert model.sha256 in card and f"--shape {shape}" in card and f"({shape})" in card
