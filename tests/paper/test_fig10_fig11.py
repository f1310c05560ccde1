"""Figures 10 and 11 on networks as small as they go, and the numbers beside them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import colour_networks
from ldam_studio.analysis.intervals import bootstrap, mean, median
from ldam_studio.analysis.spectrum import RADIUS, low_share
from ldam_studio.cli import main
from ldam_studio.commands.paper import fig10, fig11
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.engine.compute.device import choose
from ldam_studio.export.sheet import MARGIN, TYPE_SIZE, sheet, tiles
from ldam_studio.networks import discriminators
from ldam_studio.networks.discriminators import DiscriminatorModel, ImageSizes
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from thinned import one_in

PLAIN, NORMED, MIDDLE, LARGE, TEN = (
    f"{colour_networks.__file__}:{name}"
    for name in ("plain", "normed", "middle", "large", "ten_classes")
)
REALNESS = ("--prior", "discriminator")
SHORT = ("--steps", "3", "--window", "4", "--device", "cpu", "--threads", "1")


class Smooth(nn.Module):
    """Takes images for real that have no fine detail."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return -pixels.diff(dim=-1).square().sum((1, 2, 3)) - pixels.diff(dim=-2).square().sum(
            (1, 2, 3)
        )


@pytest.fixture
def discriminator(monkeypatch: pytest.MonkeyPatch) -> DiscriminatorModel:
    model = DiscriminatorModel("smooth", Smooth(), ImageSizes.exactly(colour_networks.PIXELS.shape))
    monkeypatch.setattr(discriminators, "discriminator_for", lambda _: "smooth")
    monkeypatch.setattr(discriminators, "open_discriminator", lambda *_: model)
    return model


def figures(number: int, out: Path, *flags: str) -> dict:
    assert main(["paper", f"fig{number}", "--out", str(out), *SHORT, *flags]) == 0
    return json.loads((out / f"fig{number}.json").read_text())


def test_fig10_writes_picture_and_numbers(discriminator, tmp_path, capsys):
    found = figures(10, tmp_path, *REALNESS, "--network", PLAIN, "--seed", "3")
    neurons = found["neurons"]
    assert [row["weight"] for row in found["rows"]] == list(fig10.WEIGHTS["discriminator"])
    assert sum(name.startswith("6:") for name in neurons) == fig10.CLASSES
    assert sum(name.startswith(("0:", "2:")) for name in neurons) == len(neurons) - fig10.CLASSES
    for row in found["rows"]:
        for name in ("low_frequencies", "low_frequencies_class", "low_frequencies_inner"):
            assert 0 <= row[name]["low"] <= row[name]["value"] <= row[name]["high"] <= 1
        assert {len(column) for column in row["by_neuron"].values()} == {len(neurons)}
    assert (
        found["seed"] == 3 and found["window"] == 4 and found["radius_cycles_per_pixel"] == RADIUS
    )
    printed = capsys.readouterr().out
    assert "bootstrap" in printed and "rise from 0 to 0.75" in printed
    with Image.open(tmp_path / "fig10.png") as picture:
        assert picture.width > len(neurons) * 32 * 3 and picture.height > 4 * 32 * 3


def test_fig10_s_share_rises_where_the_discriminator_likes_what_is_smooth(discriminator, tmp_path):
    found = figures(
        10, tmp_path, *REALNESS, "--network", PLAIN, "--steps", "40", "--neuron", "6:0-3"
    )
    shares = [row["low_frequencies"]["value"] for row in found["rows"]]
    assert shares[-1] > shares[0] + 0.1
    assert found["rise"]["low"] > 0
    assert found["rise"]["value"] == pytest.approx(shares[-1] - shares[0], abs=1e-3)
    assert "low_frequencies_inner" not in found["rows"][0]


def test_fig10_takes_classes_by_name(discriminator, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("".join(f"animal {number}\n" for number in range(20)))
    flags = ("--labels", str(names), "--neuron", "animal 3", "--steps", "2")
    found = figures(10, tmp_path, *REALNESS, "--network", PLAIN, *flags)
    assert found["neurons"] == ["6:3"]


def test_fig10_takes_the_shipped_discriminator_of_photographs(tmp_path):
    found = figures(10, tmp_path, *REALNESS, "--network", LARGE, "--neuron", "3:0", "--steps", "8")
    assert found["discriminator"]["name"] == "natural-discriminator"
    first, *_, last = (row["by_neuron"]["real_probability"][0] for row in found["rows"])
    assert last > first


def test_fig10_is_about_the_denoiser_unless_told_otherwise(tmp_path):
    found = figures(10, tmp_path, "--network", LARGE, "--neuron", "3:0", "--steps", "6")
    assert found["prior"] == "denoiser" and found["discriminator"] is None
    assert [row["weight"] for row in found["rows"]] == list(fig10.WEIGHTS["denoiser"])
    assert found["rise"]["value"] > 0.1
    assert "real_probability" not in found["rows"][0]["by_neuron"]


def test_fig10_weight_zero_is_the_chain_without_a_discriminator(discriminator):
    network = open_network(PLAIN)
    neurons = (Neuron("6", 1), Neuron("2", 0), Neuron("6", 4))
    settings = Settings.of(discriminator_weight=0.0, window=2, burn_in=1, threshold=0.0)
    device = choose("cpu", "float32")
    other = DiscriminatorModel("rough", nn.Sequential(Smooth(), nn.Sigmoid()), discriminator.images)
    rows = [
        fig10.sample(network, neurons, model, settings, 0.0, 0, device, 3)
        for model in (discriminator, other)
    ]
    assert torch.equal(rows[0].averages, rows[1].averages)
    # In the order in which they were asked for, though layers are sampled together.
    alone = fig10.sample(network, (neurons[1],), discriminator, settings, 0.0, 0, device, 3)
    assert torch.equal(rows[0].averages[1], alone.averages[0])


def test_fig11_writes_picture_and_numbers(discriminator, tmp_path, capsys):
    flags = ("--network", PLAIN, "--against", NORMED, "--classes", "5")
    found = figures(11, tmp_path, *flags)
    assert [side["network"]["name"] for side in found["networks"]] == [PLAIN, NORMED]
    assert found["classes"] == [0, 4, 8, 12, 16] and found["discriminator_weight"] == 0.75
    for side in found["networks"]:
        shares = side["by_class"]
        assert len(shares["at_average"]) == len(shares["along_chain"]) == 5
        for name in ("at_average", "along_chain"):
            assert 0 < side[name]["low"] <= side[name]["value"] <= side[name]["high"] < 1
        assert side["without_gradient"] == 0
    printed = capsys.readouterr().out
    assert "plain " in printed and "normed" in printed and "second minus first" in printed
    with Image.open(tmp_path / "fig11.png") as picture:
        assert picture.width > 5 * 32 * 3 and picture.height > 4 * 32 * 3


def test_fig11_does_without_a_discriminator_at_weight_zero(tmp_path):
    flags = ("--network", PLAIN, "--against", PLAIN, "--discriminator-weight", "0")
    found = figures(11, tmp_path, *flags)
    assert found["discriminator"] is None
    one, other = found["networks"]
    assert one["by_class"] == other["by_class"]
    assert found["second_minus_first_at_average"] == {"value": 0, "low": 0, "high": 0}


def test_fig11_counts_classes_without_a_gradient():
    network = open_network(PLAIN)
    with torch.no_grad():
        network.module[6].weight[:2] = 0
    side = fig11.sample(
        network,
        network.spread("6", 4),
        None,
        Settings.of(window=2, burn_in=1, threshold=0.0),
        0,
        choose("cpu", "float32"),
        3,
    )
    found = fig11.summary(network, side)
    assert found["without_gradient"] == 2
    assert found["by_class"]["at_average"][:2] == [None, None]
    assert found["at_average"]["value"] > 0


@pytest.mark.parametrize(("number", "name"), one_in(2, [(10, PLAIN), (11, PLAIN)]))
def test_the_same_bits_from_the_same_seed(number, name, discriminator, tmp_path):
    written = []
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        more = ("--against", NORMED) if number == 11 else (*REALNESS, "--neuron", "6:0-1")
        figures(number, tmp_path / folder, "--network", name, "--seed", seed, *more)
        written.append([p.read_bytes() for p in sorted((tmp_path / folder).iterdir())])
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize("module", [fig10, fig11])
def test_stopped_writes_nothing(module, discriminator, tmp_path, monkeypatch, capsys):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "sample", stop)
    out = tmp_path / "out"
    command = module.__name__.rpartition(".")[2]
    flags = [
        "--network",
        PLAIN,
        "--out",
        str(out),
        *(REALNESS if module is fig10 else ("--against", PLAIN)),
    ]
    assert main(["paper", command, *flags]) == INTERRUPTED
    assert "nothing was written" in capsys.readouterr().out
    assert not list(out.glob("**/*"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"fig10 --network {MIDDLE}", "The denoiser takes RGB images"),
        (f"fig10 --network {MIDDLE} --prior discriminator", "no discriminator for"),
        (f"fig11 --network {MIDDLE} --against {MIDDLE}", "--discriminator-weight 0"),
        (f"fig11 --network {PLAIN} --against {TEN}", "20 classes"),
        (f"fig10 --network {PLAIN} --window 0", "--window"),
        (f"fig10 --network {PLAIN} --steps -1", "--steps"),
        (f"fig10 --network {PLAIN} --preset pretty", "no preset 'pretty'"),
        (f"fig11 --network {PLAIN} --discriminator-weight 2", "Discriminator weight"),
        (f"fig11 --network {PLAIN} --classes 0", "--classes"),
        (f"fig11 --network {PLAIN} --against {PLAIN} --classes 21", "--classes"),
        (f"fig11 --network {PLAIN} --threads 0", "--threads"),
        (f"fig11 --network {PLAIN} --against missing.py:net", "missing.py"),
    ],
)
def test_bad_flags_are_one_sentence(words, expected, tmp_path, capsys):
    assert main(["paper", *words.split(), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert expected in told.err and told.err.count("\n") == 1
    assert not list((tmp_path / "out").glob("**/*"))


def test_fig10_refuses_neurons_that_are_not_there(discriminator, tmp_path, capsys):
    flags = [*REALNESS, "--network", PLAIN, "--neuron", "6:20", "--out", str(tmp_path / "out")]
    assert main(["paper", "fig10", *flags]) == 2
    assert "neurons 0 to 19" in capsys.readouterr().err


def test_low_share_of_stripes_noise_and_nothing():
    side = 64
    ramp = torch.arange(side) / side * 2 * torch.pi
    coarse = (ramp * 4).sin().expand(1, 3, side, side)  # 4 / 64 cycles per pixel
    fine = (ramp * 20).sin().expand(1, 3, side, side)
    images = 0.5 + torch.cat([coarse, fine, coarse + fine, torch.zeros_like(fine)])
    assert low_share(images, 0.5).tolist() == pytest.approx([1, 0, 0.5, 0], abs=1e-6)
    noise = torch.randn(1, 3, 128, 96, generator=torch.Generator().manual_seed(0))
    assert float(low_share(noise, 0.0)) == pytest.approx(torch.pi * RADIUS**2, rel=0.1)
    # The mean colour counts: an even image is coarse unless it is at rest.
    assert float(low_share(torch.full((1, 3, 8, 8), 0.7), 0.5)) == pytest.approx(1)


def test_held_marks_the_fewest_pixels():
    gradient = torch.zeros(3, 2, 4, 5)
    gradient[0, :, 1, 2] = 3.0
    gradient[1] = 1.0
    gradient[2, 0, 0, :3] = torch.tensor([3.0, -1.0, 0.5])  # 9 of 10.25 is below 90 %
    assert fig11.held(gradient).sum((1, 2)).tolist() == [1, 18, 2]
    assert fig11.share(gradient).tolist() == pytest.approx([1 / 20, 18 / 20, 2 / 20])
    assert fig11.share(torch.zeros(1, 2, 4, 5)).isnan().all()


def test_bootstrap_intervals():
    values = torch.randn(400, generator=torch.Generator().manual_seed(2))
    found = bootstrap(values, mean)
    assert found.value == pytest.approx(float(values.mean()), abs=1e-6)
    half = 1.96 * float(values.std()) / 20
    assert found.high - found.value == pytest.approx(half, rel=0.1)
    assert found.value - found.low == pytest.approx(half, rel=0.1)
    assert bootstrap(values, mean) == found
    assert bootstrap([1.0, 2.0, 4.0, 100.0], median).value == 3.0
    alone = bootstrap([0.25], median)
    assert alone.low == alone.value == alone.high == 0.25


def test_a_sheet_has_room_for_pictures_of_several_sizes_and_cuts_long_words():
    large, small = np.zeros((40, 60, 3), np.uint8), np.full((10, 20, 3), 200, np.uint8)
    png = sheet([[large, small], [small, large]], ["one", "two"], ["a word " * 20, "b"], zoom=2)
    page = np.asarray(Image.open(io.BytesIO(png)))
    assert page.shape[1] < 400
    black, grey = (page == 0).all(2), (page == 200).all(2)
    assert black.sum() >= 2 * 80 * 120
    rows, columns = np.nonzero(grey[: page.shape[0] // 2])
    assert columns.max() - columns.min() == 39 and rows.max() - rows.min() == 19
    # In the middle of a place as large as the large picture, which begins at the page's top.
    top = 2 * MARGIN + TYPE_SIZE
    assert rows.min() == top + (80 - 20) // 2


def test_tiles_put_every_group_on_the_page():
    groups = [[np.full((3, 3, 3), 10 + i, np.uint8)] * 2 for i in range(7)]
    page = np.asarray(
        Image.open(io.BytesIO(tiles("title", groups, [f"{i}: 1.0" for i in range(7)], 10)))
    )
    for i in range(7):
        assert (page == 10 + i).all(2).sum() >= 2 * 30 * 30


@pytest.mark.data
def test_a_trained_network_s_gradient_sits_on_a_part_of_the_picture(data_dir):
    weights = data_dir / "weights" / "squeezenet1_0_imagenet.safetensors"
    network = open_network("torchvision:squeezenet1_0", weights)
    neurons = network.default_neurons(1)
    settings = Settings.of(clamp=True, step_size=0.05, burn_in=1, window=2, threshold=0.0)
    side = fig11.sample(network, neurons, None, settings, 0, choose("cpu", "float32"), 3)
    assert 0.05 < float(side.at_average) < 0.6 and 0.05 < float(side.along) < 0.6
    assert network.label(neurons[0]) == "tench"
