"""First-layer filters against averages: every kind of first layer, and what has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import colour_networks
from ldam_studio.cli import main
from ldam_studio.commands.paper import filters
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.engine.compute.device import choose
from ldam_studio.networks.cropped import part_for
from ldam_studio.networks.inspect.filters import filter_cosine
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network

FACTORIES = colour_networks.__file__


def run(name: str, out: Path, *more: str) -> dict:
    flags = ["--network", f"{FACTORIES}:{name}", "--out", str(out), *more]
    assert main(["paper", "filters", *flags]) == 0
    return json.loads((out / "filters.json").read_text())


@pytest.mark.parametrize(
    ("name", "count", "zero"),
    [("plain", 12, []), ("normed", 8, [3]), ("one_size", 6, []), ("dense", 5, [])],
)
def test_every_filter_is_its_average(name, count, zero, tmp_path, capsys):
    found = run(name, tmp_path, "--steps", "200")
    assert len(found["filters"]) == found["summary"]["filters"] == count
    assert [i for i, row in enumerate(found["filters"]) if row["cosine"] is None] == zero
    cosines = [row["cosine"] for row in found["filters"] if row["cosine"] is not None]
    assert min(cosines) == found["summary"]["least_cosine"] >= 0.99
    assert found["summary"]["zero"] == len(zero)
    printed = capsys.readouterr().out
    assert f"{count} filters" in printed and ("zero" in printed) == bool(zero)
    with Image.open(tmp_path / "filters.png") as picture:
        assert picture.width > 2 * filters.PICTURE


def test_chains_on_the_part_have_the_law_of_chains_on_the_whole_image(monkeypatch):
    """The mean is rest + v / (2 l2); what is left over of the noise is as large on both."""
    network = open_network(f"{FACTORIES}:plain")
    neurons = filters.first_layer(network)
    device = choose("cpu", "float32")
    on_part = torch.stack(list(filters.averages(network, neurons, 300, 1, device)))
    monkeypatch.setattr(filters, "part_for", lambda *_: None)
    on_whole = torch.stack(list(filters.averages(network, neurons, 300, 1, device)))
    kernels = torch.stack([one.kernel for one in filters.compare(network, neurons, on_part)])
    rms = kernels.flatten(1).square().mean(1).sqrt().reshape(-1, 1, 1, 1)
    top, left, bottom, right = network.receptive_field("0")
    # A variance of T / (2 l2) / (1 - step l2 / 2) over 200 samples, of which about 40 are as one.
    expected = (0.01 / (1 - 0.025) * 40 / 200) ** 0.5
    for means in (on_part, on_whole):
        left_over = means[:, :, top:bottom, left:right] - network.pixels.rest - kernels / rms
        assert float(left_over.std()) == pytest.approx(expected, rel=0.15)
        assert abs(float(left_over.mean())) < 0.01


def test_whole_images_are_sampled_in_portions(monkeypatch):
    network = open_network(f"{FACTORIES}:dense")
    neurons = filters.first_layer(network)
    assert [len(portion) for portion in filters.portions(network, neurons)] == [5]
    monkeypatch.setattr(filters, "PORTION_VALUES", 3 * 2 * 6 * 9)
    assert [len(portion) for portion in filters.portions(network, neurons)] == [3, 2]
    steps = []
    means = filters.averages(
        network, neurons, 150, 0, choose("cpu", "float32"), lambda: steps.append(1)
    )
    for neuron, mean in zip(neurons, means, strict=True):
        assert filter_cosine(network, neuron, mean) > 0.99
    assert len(steps) == 300


@pytest.mark.parametrize(("name", "layers"), [("plain", 2), ("normed", 2), ("one_size", 1)])
def test_a_part_gives_what_the_whole_gives(name, layers):
    network = open_network(f"{FACTORIES}:{name}")
    for layer in network.layers[:layers]:
        part = part_for(network, layer.name)
        assert part is not None
        x = torch.rand(layer.neurons, *part.network.pixels.shape)
        whole = part.on_the_whole(x, network.pixels.shape)
        neurons = [Neuron(layer.name, i) for i in range(layer.neurons)]
        moved = [part.neuron(i) for i in range(layer.neurons)]
        torch.testing.assert_close(
            part.network.activation(x, part.network.units(moved)),
            network.activation(whole, network.units(neurons)),
            rtol=1e-5,  # sums in another order, of weights that no seed fixes
            atol=1e-4,
        )
        assert part.network.pixels.height < network.pixels.height
    assert part_for(network, network.layers[-1].name) is None


def test_a_convolution_that_does_not_see_the_pixels_is_no_part_of_its_own():
    """It takes as many channels as there are colours, in a network that takes one size only."""
    network = open_network(f"{FACTORIES}:one_size_deep")
    assert part_for(network, "patches") is not None
    assert part_for(network, "mixed") is None


def test_faint_filters_count_and_those_below_the_sampler_s_floor_do_not():
    network = Network("faint", colour_networks.normed(), colour_networks.PIXELS)
    neurons = filters.first_layer(network)
    means = list(filters.averages(network, neurons, 200, 0, choose("cpu", "float32")))
    zero = [one.neuron.index for one in filters.compare(network, neurons, means) if not one.cosine]
    assert zero == [3]
    with torch.no_grad():
        network.module[0].weight[5] *= 1e-6
    compared = filters.compare(network, neurons, means)
    assert compared[5].norm > 0 and compared[5].cosine is None


def test_the_same_bits_from_the_same_seed(tmp_path):
    written = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("plain", tmp_path / name, "--steps", "110", "--seed", str(seed))
        written.append([p.read_bytes() for p in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1] != written[2]


def test_without_weights_torchvision_s_networks_keep_their_random_start(tmp_path):
    flags = ["--network", "torchvision:squeezenet1_1", "--untrained", "--steps", "150"]
    assert main(["paper", "filters", *flags, "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "filters.json").read_text())
    assert found["summary"]["filters"] == 64 and found["summary"]["least_cosine"] >= 0.99


def test_stopped_writes_nothing(tmp_path, monkeypatch, capsys):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(filters, "averages", stop)
    out = tmp_path / "out"
    flags = ["--network", f"{FACTORIES}:plain", "--out", str(out)]
    assert main(["paper", "filters", *flags]) == INTERRUPTED
    assert "nothing was written" in capsys.readouterr().out
    assert not list(out.glob("**/*"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"--network {FACTORIES}:no_filters", "no first-layer filters"),
        (f"--network {FACTORIES}:half_seen", "larger images"),
        (f"--network {FACTORIES}:plain --steps 100", "--steps"),
        (f"--network {FACTORIES}:plain --seed -1", "--seed"),
        (f"--network {FACTORIES}:plain --weights missing.safetensors", "missing.safetensors"),
        ("--network torchvision:nonesuch", "nonesuch"),
    ],
)
def test_bad_flags_are_one_sentence(words, expected, tmp_path, capsys):
    assert main(["paper", "filters", *words.split(), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert expected in told.err and told.err.count("\n") == 1
    assert not list((tmp_path / "out").glob("**/*"))


@pytest.mark.thorough
@pytest.mark.data
def test_trained_filters_are_their_averages(data_dir, tmp_path):
    weights = data_dir / "weights" / "squeezenet1_0_imagenet.safetensors"
    flags = ["--network", "torchvision:squeezenet1_0", "--weights", str(weights)]
    assert main(["paper", "filters", *flags, "--steps", "150", "--out", str(tmp_path)]) == 0
    summary = json.loads((tmp_path / "filters.json").read_text())["summary"]
    assert summary["filters"] == 96 and summary["zero"] == 0
    assert summary["least_cosine"] >= 0.99
