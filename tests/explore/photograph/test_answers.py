"""Units that answer to a photograph, ranked by how unusual that is for each of them."""

import numpy as np
import pytest
import torch

from ldam_studio.explore.classes import confidence_words
from ldam_studio.explore.photograph import reference
from ldam_studio.explore.photograph.answers import answers_of, layers_for
from ldam_studio.explore.photograph.means import means_of
from ldam_studio.explore.photograph.reference import Usual, noise_like, usual_of
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training.data import load_digits_sheet


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


@pytest.fixture(scope="module")
def digits():
    return load_digits_sheet().images[::500].float() / 255


def test_means_are_those_of_the_neurons(lenet, digits):
    found = means_of(lenet, digits, lenet.layers)
    for layer in lenet.layers:
        place = "mean" if layer.places else None
        units = lenet.units([Neuron(layer.name, 3, place)] * len(digits))
        torch.testing.assert_close(found[layer.name][:, 3], lenet.activation(digits, units))


def test_how_unusual_a_value_is():
    values = torch.tensor([[0.0, 10.0], [2.0, 10.0], [4.0, 10.1], [6.0, 10.1]])
    usual = Usual(values.mean(0), values.std(0), "four", values.sort(0).values)
    z = usual.z(torch.tensor([5.0, 10.1]))
    assert z[0].item() == pytest.approx((5 - 3) / values[:, 0].std().item())
    # A unit that hardly ever differs is not unusual because of a tiny difference.
    least = 0.1 * values.std(0).median().item()
    assert z[1].item() == pytest.approx(0.05 / max(values[:, 1].std().item(), least), rel=1e-3)
    assert usual.share_below(torch.tensor([5.0, 10.1])).tolist() == [0.75, 0.5]


def test_noise_has_the_spectrum_of_the_photograph():
    picture = torch.rand(3, 16, 12, generator=torch.Generator().manual_seed(1))
    noise = noise_like(picture, 4)
    assert noise.shape == (4, 3, 16, 12)
    wanted, found = (torch.fft.rfft2(x).abs() for x in (picture, noise))
    # Where a wave is its own mirror image, phases are only approximately kept.
    torch.testing.assert_close(
        found[..., 1:8, 1:5], wanted[None, :, 1:8, 1:5].expand(4, -1, -1, -1)
    )
    torch.testing.assert_close(noise.mean((2, 3)), picture.mean((1, 2)).expand(4, 3))
    assert not torch.equal(noise[0], noise[1])


def test_the_unusual_unit_comes_first_whatever_its_size(lenet, digits):
    layers = [lenet.layer("fc2")]
    here = means_of(lenet, digits[:1], layers)["fc2"][0]
    mean, std = here.clone(), torch.ones_like(here)
    mean[7] -= 5  # five deviations
    mean[9] -= 50
    std[9] = 100  # but this unit always varies widely
    (found,) = answers_of(lenet, digits[0], layers, {"fc2": Usual(mean, std, "a test")})
    assert found.units[0].neuron == Neuron("fc2", 7)
    assert found.units[0].z == pytest.approx(5, rel=1e-4) == found.most
    assert found.units[0].below is None


def test_a_digit_is_answered_by_its_class(lenet):
    sheet = load_digits_sheet()
    hits = 0
    layers = [lenet.class_layer]
    usual = usual_of(lenet, layers, sheet.images[0].float() / 255)
    assert usual["fc3"].words == "1,000 digits" and usual["fc3"].is_real
    for number in range(3, 5000, 250):
        (found,) = answers_of(lenet, sheet.images[number].float() / 255, layers, usual)
        hits += found.units[0].neuron.index == int(sheet.labels[number])
    assert hits >= 19  # of 20


def test_noise_is_the_last_resort_and_is_said(lenet, digits, monkeypatch):
    monkeypatch.setattr(reference, "_real_images", lambda *_given: None)
    usual = usual_of(lenet, [lenet.layer("fc2")], digits[0])
    assert not usual["fc2"].is_real
    assert usual["fc2"].words == "noise with its spectrum"


def test_photo_statistics_are_known_of_their_layers(lenet, digits, monkeypatch):
    from ldam_studio.networks.statistics.measuring import measure

    found = measure(lenet, load_digits_sheet().images[::100], "fifty digits")
    monkeypatch.setattr(reference, "_real_images", lambda *_given: None)
    monkeypatch.setattr(reference, "find_statistics", lambda _key: found)
    usual = usual_of(lenet, lenet.layers, digits[0])
    measured = {name for name, each in usual.items() if each.words == "fifty digits"}
    assert measured == set(found.layers) == set(usual)  # of the others nothing is known
    seen = answers_of(lenet, digits[0], lenet.layers, usual)
    assert {layer.layer for layer in seen} == measured
    name = found.layers[0]
    mean, _ = found.sides[28]
    assert torch.equal(usual[name].mean, mean[: found.channels[0]])


def test_indexed_images_come_first(lenet, digits, monkeypatch, tmp_path):
    from ldam_studio.explore.real_images.likeness import LENGTH
    from ldam_studio.explore.real_images.responses import Responder
    from ldam_studio.explore.real_images.shards import Measured

    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(reference, "LEAST_INDEXED", 5)
    x = load_digits_sheet().images[::500].float() / 255
    parts = Responder(lenet, ["fc2", "conv2"]).of(x)
    hashes = [bytes([number]) * 32 for number in range(len(x))]
    flags = np.zeros(len(x), np.uint8)
    measured = Measured(hashes, flags, np.zeros((len(x), LENGTH), np.uint8), parts)
    reference.shards.write(
        reference.shards.folder() / reference.shards.key_of(lenet), lenet, measured
    )
    usual = usual_of(lenet, lenet.layers, digits[0])
    assert usual["fc2"].words == usual["conv2"].words == "10 indexed images"
    assert usual["fc1"].words == "1,000 digits"
    expected = means_of(lenet, x, [lenet.layer("conv2")])["conv2"]
    torch.testing.assert_close(usual["conv2"].mean, expected.mean(0))


def test_layers_of_a_deep_network_are_thinned(lenet, monkeypatch):
    monkeypatch.setattr("ldam_studio.explore.photograph.answers.MOST_LAYERS", 5)
    names = [layer.name for layer in layers_for(lenet)]
    assert len(names) <= 5 and names[-1] == "fc3"


def test_words_for_a_probability():
    assert confidence_words(0.9996) == ">99 %" and confidence_words(1.0) == "100 %"
    assert confidence_words(0.834) == "83 %"
