"""Where drawn images lie among real ones, and which real image is nearest."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from explore.real_pictures import folder_of, small_network
from ldam_studio.explore.real_images.index import Responses, open_index
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.naming import Namer
from ldam_studio.explore.real_images.nearest import Neighbours, layers_for
from ldam_studio.explore.real_images.pictures import as_pixels
from ldam_studio.explore.real_images.sources import spec_of
from ldam_studio.explore.real_images.standing import (
    AVERAGE,
    RAW,
    drawn_values,
    histogram,
    standing,
)
from ldam_studio.networks.neurons import Neuron


def responses(values) -> Responses:
    array = np.array(values, np.float32)
    return Responses(Neuron("6", 0), np.arange(len(array)), array, None)


REAL = responses(np.linspace(0, 31, 1000))


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ({RAW: 88.0}, "^Beyond anything real here: raw 88.0; best real image 31.0$"),
        ({RAW: 88.0, AVERAGE: 60.0}, "^Beyond anything real here: raw 88.0, average 60.0; "),
        (
            {RAW: 88.0, AVERAGE: 15.5},
            "^Raw 88.0 is beyond anything real here, average 15.5 above",
        ),
        ({AVERAGE: 15.5}, r"^Within the real range: average 15.5 \(above 50 %\); best real image"),
        ({RAW: -4.0}, r"raw -4.00 \(above none\)"),
        ({RAW: 31.0}, r"\(above 99.9 %\)"),
        ({RAW: float("nan")}, "^Best real image 31.0$"),
        ({}, "^Best real image 31.0$"),
    ],
)
def test_words_say_where_the_drawn_image_lies(drawn, words) -> None:
    assert re.search(words, standing(drawn, REAL))


def test_few_images_are_said_to_be_few() -> None:
    assert standing({RAW: 9.0}, responses([1, 2, 3])).startswith("Beyond the 3 real images: ")


def test_a_histogram_counts_every_image_once_also_equal_ones() -> None:
    assert histogram(REAL).counts.sum() == 1000
    flat = histogram(responses([2.0, 2.0]))
    assert flat.counts.sum() == 2 and flat.low < 2 < flat.high


@pytest.fixture
def index(tmp_path):
    network, spec = small_network(), spec_of(str(folder_of(tmp_path / "photos", 12)))
    build(network, spec, ("2", *layers_for(network, "6")))
    return open_index(network, spec)


def test_a_drawn_image_has_the_value_of_the_unit_that_was_drawn(index) -> None:
    network = index.network
    image = torch.rand(network.pixels.shape)
    for neuron in (Neuron("6", 1), Neuron("2", 3), Neuron("2", 3, (1, 2)), Neuron("2", 0, sign=-1)):
        units = network.units([neuron])
        expected = network.activation(image[None], units).item()
        found = drawn_values(network, neuron, {RAW: image, AVERAGE: image})
        assert found == pytest.approx({RAW: expected, AVERAGE: expected})
    small = torch.nn.functional.avg_pool2d(image, 2)
    assert np.isfinite(drawn_values(network, Neuron("6", 1), {RAW: small})[RAW])
    assert drawn_values(network, Neuron("6", 1), {}) == {}


def test_a_real_image_is_its_own_nearest_one(index) -> None:
    pictures = index.pictures(range(12))
    shown = [as_pixels(torch.from_numpy(pictures[n]), index.network.pixels) for n in range(12)]
    found = Neighbours(index, Neuron("6", 1)).of(shown)
    assert [each.example.image for each in found] == list(range(12))
    assert min(each.cosine for each in found) > 0.999
    assert Neighbours(index, Neuron("6", 1)).of([]) == []


def test_a_channel_is_compared_where_it_responds(index) -> None:
    neuron = Neuron("2", 1)
    best = index.top(index.responses(neuron), 12)
    for each in best[:4]:
        image = index.pictures([each.image])[each.image]
        x = as_pixels(torch.from_numpy(image), index.network.pixels)
        # Drawn at the very place at which the real image has its largest value.
        (found,) = Neighbours(index, Neuron("2", 1, each.place)).of([x])
        assert found.example.image == each.image and found.cosine > 0.999


def test_real_images_are_named_with_what_the_neuron_sees(tmp_path) -> None:
    network, spec = small_network(), spec_of(str(folder_of(tmp_path / "photos", 12)))
    image = torch.rand(network.pixels.shape)
    assert Namer(network, spec, 0, builds=False).name(Neuron("6", 1), [image]) == []
    namer = Namer(network, spec, 0, builds=True)
    (whole,) = namer.name(Neuron("6", 1), [image])
    assert whole.name.endswith(".png") and whole.patch.shape == (16, 16, 3)
    first, second = namer.name(Neuron("2", 1), [image, image.flip(2)])
    assert first.patch.shape[0] < 16 and -1 <= second.cosine <= 1
