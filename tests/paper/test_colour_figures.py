"""The figures of CIFAR-10 on untrained networks, and the numbers beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from ldam_studio.analysis import cifar10
from ldam_studio.cli import main
from ldam_studio.commands.paper import colour, fig9
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, ImageSizes, open_discriminator
from ldam_studio.networks.models import vgg
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator, Vgg16Discriminator
from ldam_studio.networks.models.judges import ColourJudge
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights
from synthetic import write_cifar10


@pytest.fixture(scope="module", autouse=True)
def narrow() -> Iterator[None]:
    """A VGG of few channels: these tests are about what is made of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vgg, "BLOCKS", ((4, 4), (4,), (4,), (8,)))
        yield


@pytest.fixture(scope="module")
def files(narrow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as untrained networks have them, and a few pictures."""
    folder = write_cifar10(tmp_path_factory.mktemp("files"), test=80)
    for number, (name, make) in enumerate(
        (
            ("base", vgg.Vgg),
            ("averaged", vgg.Vgg),
            ("discriminator", ColourDiscriminator),
            ("vgg16", Vgg16Discriminator),
        )
    ):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            write_weights(folder / f"{name}.safetensors", make().state_dict(), {})
    return folder


@pytest.fixture(autouse=True)
def untrained_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        judge = ColourJudge().eval().requires_grad_(False)
    for module in (colour, fig9):
        monkeypatch.setattr(module, "open_judge", lambda *_: judge)


def draw(number: int, files: Path, out: Path, *flags: str) -> dict:
    words = ["--weights", str(files / "base.safetensors"), "--data", str(files), "--out", str(out)]
    if number == 8:
        words += ["--averaged-weights", str(files / "averaged.safetensors")]
    if number > 6:
        words += ["--discriminator-weights", str(files / "discriminator.safetensors")]
    chains = ["--chains", "5"] if number == 9 else ["--chains-per-class", "2"]
    assert main(["paper", f"fig{number}", *words, *chains, "--steps", "2", *flags]) == 0
    return json.loads((out / f"fig{number}.json").read_text())


def test_fig6_writes_picture_and_numbers(files, tmp_path, capsys) -> None:
    found = draw(6, files, tmp_path)
    assert list(found["rows"]) == ["no regulariser", "L2 0.5", "L2 0.5, averaged"]
    for row in found["rows"].values():
        assert 0 <= row["agreement"] <= 1 and row["distance"] > 0 and row["contrast"] > 0
    assert "low frequencies" in capsys.readouterr().out
    with Image.open(tmp_path / "fig6.png") as picture:
        assert picture.width > 10 * 96 and picture.height > 3 * 96


@pytest.mark.thorough
def test_fig7_measures_each_weight(files, tmp_path, capsys) -> None:
    found = draw(7, files, tmp_path, "--seed", "4")
    assert [row["weight"] for row in found["rows"]] == list(cifar10.WEIGHTS)
    for row in found["rows"]:
        for what in ("raw", "averaged"):
            assert len(row[what]["agreement_by_class"]) == 10 and row[what]["distance"] > 0
        assert 0 < row["real_probability"] < 1
    assert found["seed"] == 4 and found["chains_per_class"] == 2
    # Of the same kind as those they are held against, which no chain is.
    nearest = min(row[what]["distance"] for row in found["rows"] for what in ("raw", "averaged"))
    assert found["real"]["distance"] < nearest
    assert "real images" in capsys.readouterr().out


@pytest.mark.thorough
def test_fig8_has_the_base_and_the_averaged_network(files, tmp_path) -> None:
    found = draw(8, files, tmp_path)
    assert found["base"]["sha256"] != found["averaged"]["sha256"]
    assert found["base_row"]["weight"] == 0 and len(found["averaged_rows"]) == 4
    assert found["base_row"]["activation"] != found["averaged_rows"][0]["activation"]
    with Image.open(tmp_path / "fig8.png") as picture:
        assert picture.height > 3 * 96


def test_fig9_sorts_from_cool_to_warm(files, tmp_path, capsys) -> None:
    found = draw(9, files, tmp_path, "--neuron", "fc:2")
    warmth = [red - blue for red, _, blue in found["mean_colours"]]
    assert len(warmth) == 5 and warmth == sorted(warmth)
    assert found["label"] == "bird"
    assert "real images" in capsys.readouterr().out


def test_warmth_is_red_minus_blue() -> None:
    images = torch.zeros(2, 3, 4, 4)
    images[0, 0], images[1, 2] = 0.5, 0.25
    assert fig9.warmth(images).tolist() == [0.5, -0.25]


def test_frechet_distance_of_gaussians() -> None:
    """Of axis-parallel ones it is |m1 - m2|^2 + sum (s1 - s2)^2 (Dowson and Landau 1982)."""
    signs = torch.tensor([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)], dtype=torch.float64)
    scale = (3 / 4) ** 0.5  # the four corners then have variance 1, counted over n - 1
    seen = signs * scale * torch.tensor([2.0, 1.0]) + torch.tensor([1.0, -1.0])
    mean, covariance = torch.tensor([4.0, 3.0]).double(), torch.diag(torch.tensor([25.0, 9.0]))
    expected = 3**2 + 4**2 + (5 - 2) ** 2 + (3 - 1) ** 2
    assert cifar10.frechet(seen, mean, covariance.double()) == pytest.approx(expected)
    assert cifar10.frechet(seen, seen.mean(0), torch.cov(seen.T)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["discriminator", "vgg16"])
def test_either_discriminator_opens_from_its_file(name, files) -> None:
    model = open_discriminator(CIFAR_DISCRIMINATOR, files / f"{name}.safetensors")
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    images.requires_grad_(True)
    logits = model.module(images)
    (gradient,) = torch.autograd.grad(logits.sum(), images)
    assert logits.shape == (2,) and model.images == ImageSizes.exactly((3, 32, 32))
    # Through thirteen layers without norms as through three, something comes back.
    assert float(gradient.abs().mean()) > 1e-5


def test_a_discriminator_of_other_images_is_a_sentence(files) -> None:
    with pytest.raises(StudioError):
        open_discriminator(CIFAR_DISCRIMINATOR, files / "base.safetensors")


def test_the_vgg_is_a_network_of_colour_pictures(files) -> None:
    network = open_network("vgg", files / "base.safetensors")
    assert network.pixels.shape == (3, 32, 32) and network.pixels.rest == 0.5
    assert network.label(network.default_neurons(10)[8]) == "ship"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("fig7 --steps 0", "--steps must lie between"),
        ("fig8 --chains-per-class 1", "--chains-per-class must lie between"),
        ("fig6 --weights nowhere.safetensors", "nowhere.safetensors"),
        ("fig7 --data NOWHERE", "CIFAR-10 was not found"),
        ("fig9 --neuron conv1_1:0", "one class neuron"),
        ("fig9 --neuron fc:0-2", "one class neuron"),
        ("fig9 --discriminator-weight 2", "Discriminator weight"),
        ("fig5 --averaged-weights nowhere.safetensors", "nowhere.safetensors"),
    ],
)
def test_bad_flags_are_one_sentence(words, sentence, files, tmp_path, capsys) -> None:
    flags = words.replace("NOWHERE", str(tmp_path / "nowhere")).split()
    more = {"--weights": "base"} if "fig5" not in words else {}
    if flags[0] in ("fig7", "fig8", "fig9"):
        more["--discriminator-weights"] = "discriminator"
    if flags[0] == "fig8":
        more["--averaged-weights"] = "averaged"
    for flag, name in more.items():
        if flag not in flags:
            flags += [flag, str(files / f"{name}.safetensors")]
    assert main(["paper", *flags, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
    assert not list((tmp_path / "out").glob("**/*"))


def test_fig5_sets_the_averaged_lenet_against_the_last_epochs(tmp_path, capsys) -> None:
    flags = ["--steps", "6", "--chains-per-class", "2", "--out", str(tmp_path)]
    assert main(["paper", "fig5", *flags]) == 0
    found = json.loads((tmp_path / "fig5.json").read_text())
    for row in found["measured"].values():
        gap = row["averaged"]["value"] - row["last epoch"]["value"]
        assert row["difference"]["value"] == pytest.approx(gap, abs=2e-4)
    assert [len(v) for each in found["by_class"] for v in each.values()] == [10] * 6
    assert "difference" in capsys.readouterr().out


def test_stopped_writes_nothing(files, tmp_path, capsys, monkeypatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cifar10, "run_on", stop)
    flags = ["--weights", str(files / "base.safetensors"), "--data", str(files)]
    flags += ["--discriminator-weights", str(files / "discriminator.safetensors")]
    assert main(["paper", "fig7", *flags, "--out", str(tmp_path / "out")]) == INTERRUPTED
    assert "nothing was written" in capsys.readouterr().out
    assert not list((tmp_path / "out").glob("**/*"))
