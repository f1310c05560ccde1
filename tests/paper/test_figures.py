"""The paper's figures, as small as they go, and what they are held against."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from ldam_studio.analysis import digits
from ldam_studio.analysis import judging as judges
from ldam_studio.analysis.judging import agreement, open_judge
from ldam_studio.cli import main
from ldam_studio.commands.paper import fig1, fig4
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.engine.advance import advance
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet


@pytest.fixture
def short_melt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "MELT_STEPS", 3)
    monkeypatch.setattr(digits, "COLLAPSE_STEPS", 2)


def test_fig1_writes_picture_and_numbers(tmp_path: Path, capsys, short_melt) -> None:
    flags = ["--out", str(tmp_path), "--chains-per-class", "2", "--steps", "2", "--seed", "5"]
    assert main(["paper", "fig1", *flags]) == 0
    figures = json.loads((tmp_path / "fig1.json").read_text())
    assert [row["weight"] for row in figures["rows"]] == list(fig1.WEIGHTS)
    for row in figures["rows"]:
        assert 0 <= row["agreement"] <= 1 and len(row["agreement_by_class"]) == 10
        assert 0 < row["dark"] < 1 and 0 <= row["real_probability"] <= 1
    assert figures["seed"] == 5 and figures["steps"] == 2 and figures["chains_per_class"] == 2
    assert set(figures["melt_and_collapse"]) > {"cosine_to_before", "agreement"}
    with Image.open(tmp_path / "fig1.png") as picture:
        assert picture.width > 10 * 84 and picture.height > 5 * 84
    printed = capsys.readouterr().out
    assert "judge agrees" in printed and "melted" in printed


def test_fig1_gives_the_same_bits_from_the_same_seed(tmp_path: Path, short_melt) -> None:
    written = []
    for name in ("a", "b"):
        flags = ["--out", str(tmp_path / name), "--chains-per-class", "1", "--steps", "2"]
        assert main(["paper", "fig1", *flags]) == 0
        written.append([p.read_bytes() for p in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1]


def test_fig1_stopped_writes_nothing(tmp_path: Path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(digits, "measure", stop)
    flags = ["--out", str(tmp_path / "out"), "--chains-per-class", "1", "--steps", "1"]
    assert main(["paper", "fig1", *flags]) == INTERRUPTED
    assert not list((tmp_path / "out").glob("**/*"))


@pytest.mark.thorough
def test_fig4_average_is_the_mean_gradient(tmp_path: Path, capsys, monkeypatch) -> None:
    """At rest 2 l2 (mean - rest) is the mean gradient, for every class and chain."""
    monkeypatch.setattr(fig4, "BURN_IN", 100)  # the start is forgotten to less than a hundredth
    flags = ["--out", str(tmp_path), "--chains-per-class", "1", "--steps", "350"]
    assert main(["paper", "fig4", *flags, "--temperature", "0.002"]) == 0
    found = json.loads((tmp_path / "fig4.json").read_text())["cosine_of_average"]
    assert min(found["mean_gradient_least"]) >= 0.98
    assert len(found["gradient_at_average"]) == 10
    assert capsys.readouterr().out.count("least of its chains") == 10
    with Image.open(tmp_path / "fig4.png") as picture:
        assert picture.width > 10 * 84 and picture.height > 6 * 84


def test_fig4_stopped_writes_nothing(tmp_path: Path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fig4, "sample", stop)
    assert main(["paper", "fig4", "--out", str(tmp_path / "out")]) == INTERRUPTED
    assert not list((tmp_path / "out").glob("**/*"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fig1 --steps 0", "--steps"),
        ("fig1 --chains-per-class 0", "--chains-per-class"),
        ("fig1 --network vgg", "vgg"),
        ("fig1 --weights missing.safetensors", "missing.safetensors"),
        ("fig1 --discriminator-weights missing.safetensors", "missing.safetensors"),
        ("fig4 --steps 200", "--steps"),
        ("fig4 --seed -1", "--seed"),
        ("fig4 --temperature hot", "Temperature"),
        ("fig1 --network squeezenet1_0", "squeezenet1_0"),
        ("fig4 --network vgg", "vgg"),
    ],
)
def test_bad_flags_are_one_sentence(words: str, expected: str, tmp_path: Path, capsys) -> None:
    assert main(["paper", *words.split(), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert expected in told.err and told.err.count("\n") == 1
    assert not list((tmp_path / "out").glob("**/*"))


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys, short_melt
) -> None:
    (tmp_path / "file").write_text("in the way")
    flags = ["--out", str(tmp_path / "file"), "--chains-per-class", "1", "--steps", "1"]
    assert main(["paper", "fig1", *flags]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_missing_judge_without_data_is_one_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    def missing(*_: object) -> Path:
        raise StudioError("not shipped")

    monkeypatch.setattr(judges, "asset", missing)
    monkeypatch.setattr(judges, "cache_folder", lambda: tmp_path / "cache")
    flags = ["--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]
    assert main(["paper", "fig1", *flags]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_first_convolution_average_is_its_filter() -> None:
    network = open_network("lenet")
    state = open_session(
        SessionSpec(network, network.spread("conv1", 6), Settings.of(burn_in=100), seed=3)
    )
    for _ in range(500):
        state, _ = advance(state)
    top, left, bottom, right = state.lane.targets.fields[0]
    inside = state.lane.average.mean[:, :, top:bottom, left:right]
    filters = network.module.conv1.weight
    cosine = torch.nn.functional.cosine_similarity(inside.flatten(1), filters.flatten(1))
    assert float(cosine.min()) >= 0.99


def test_within_class_cosine_is_one_for_copies_and_counts_pairs_once() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    images = torch.stack([a, a, a, b, b, a]).reshape(6, 1, 1, 2)
    assert digits.within_class_cosine(images[:3], torch.zeros(3)) == pytest.approx(1)
    # Class 0: a, a, a. Class 1: b, b, a has the pairs 1, 0, 0.
    classes = torch.tensor([0, 0, 0, 1, 1, 1])
    assert digits.within_class_cosine(images, classes) == pytest.approx((1 + 1 / 3) / 2)
    alone = digits.within_class_cosine(images[:1], torch.zeros(1))
    assert alone != alone


def test_dark_share() -> None:
    assert digits.dark_share(torch.tensor([[0.0, 0.2, 0.3, 1.0]])) == 0.5


def test_judge_knows_real_digits_and_not_their_negatives() -> None:
    judge, digits = open_judge(), load_digits_sheet()
    pixels, labels = digits.pixels()[::10], digits.labels[::10]
    assert agreement(judge, pixels, labels) > 0.98
    assert agreement(judge, torch.rand(pixels.shape), labels) < 0.3
