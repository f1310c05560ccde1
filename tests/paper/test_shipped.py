"""What is shipped does what its cards say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from ldam_studio.analysis import digits
from ldam_studio.analysis.judging import COLOUR, open_judge
from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.networks.denoisers import CIFAR_DENOISER, open_denoiser
from ldam_studio.networks.discriminators import CIFAR_DISCRIMINATOR, open_discriminator
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training import classifier, denoiser, denoiser_images
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import load_mnist
from ldam_studio.training.images import LabelledImages
from ldam_studio.training.photos import draw_crops, find_photos

SHIPPED = (
    "lenet",
    "lenet-averaged",
    "lenet-discriminator",
    "natural-discriminator",
    "denoiser",
    "cifar10-denoiser",
    "judge",
    "cifar10-judge",
    "cifar10-discriminator",
    "vgg",
    "vgg-averaged",
    "squeezenet1_0-statistics",
    "resnet50-statistics",
)
MOST_BYTES = 6 * 2**20


@pytest.mark.parametrize("name", SHIPPED)
def test_card_belongs_to_its_weights(name: str) -> None:
    content = asset("models", f"{name}.safetensors").read_bytes()
    card = asset("models", f"{name}.md").read_text()
    assert hashlib.sha256(content).hexdigest() in card
    for word in ("Data", "Recipe", "Command", "Seed", "Licence", "Measured"):
        assert word in card
    assert len(content) <= MOST_BYTES


def test_sheet_of_digits_belongs_to_its_card() -> None:
    content = asset("resources", "digits.png").read_bytes()
    assert hashlib.sha256(content).hexdigest() in asset("resources", "digits.md").read_text()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "least"), [("lenet", 0.987), ("lenet-averaged", 0.991), ("judge", 0.992)]
)
def test_classifiers_are_as_good_as_the_paper_s(name: str, least: float, data_dir: Path) -> None:
    test = load_mnist(data_dir, "test")
    test = LabelledImages(test.images[::2], test.labels[::2])
    module = open_judge() if name == "judge" else open_network(name).module
    assert classifier.accuracy(classifier.predict(module, test), test.labels) >= least


@pytest.mark.thorough
def test_discriminator_holds_up_on_fresh_chains() -> None:
    """A smaller Figure 1: what is asked for at weight .8, seen by another architecture."""
    network, discriminator = open_network("lenet"), open_discriminator()
    (row, state), *_ = digits.rows(
        network, discriminator, open_judge(), [0.8], chains_per_class=2, steps=300, seed=11
    )
    real = digits.real_digits()
    assert row.agreement >= 0.85
    assert row.cosine <= real["cosine"] + 0.1
    assert abs(row.dark - real["dark"]) <= 0.1
    melted = digits.melt_and_collapse(state, discriminator, open_judge(), 0.8)
    assert melted["cosine_to_before"] <= 0.7
    assert melted["agreement"] >= 0.8


@pytest.mark.data
def test_photographs_are_told_from_noise_and_blots(data_dir: Path) -> None:
    module = open_discriminator("natural-discriminator").module
    source = find_photos(data_dir / "photos" / "imagenet_sample_256.zip")
    draw = torch.Generator().manual_seed(3)
    photographs = draw_crops([source], 16, (224, 224), draw).float() / 255
    noise = 0.5 + 0.4 * torch.randn(4, 3, 224, 224, generator=draw)
    blots = torch.rand(4, 3, 28, 28, generator=draw).round().repeat_interleave(8, 2)
    blots = blots.repeat_interleave(8, 3)
    real = float(module(photographs).sigmoid().mean())
    assert real > float(module(noise.clamp(0, 1)).sigmoid().max()) + 0.1
    assert real > float(module(blots).sigmoid().max()) + 0.05


@pytest.mark.data
def test_the_denoiser_removes_noise_from_photographs_that_it_has_not_seen(data_dir: Path) -> None:
    _, kept_back = denoiser_images.parted(
        find_photos(data_dir / "photos" / "imagenet_sample_256.zip")
    )
    draw = torch.Generator().manual_seed(3)
    clean = draw_crops([kept_back], 8, (112, 112), draw).float() / 255
    errors = denoiser.errors(open_denoiser().module, clean, 4)
    for level, most in ((0.02, 0.8), (0.1, 0.5), (0.2, 0.4), (0.6, 0.25)):
        assert errors[level] < most * level


@pytest.mark.data
def test_the_denoiser_of_small_images_is_better_on_them_than_that_of_photographs(pictures) -> None:
    clean = pictures.pixels(slice(0, 200))
    own, other = (
        denoiser.errors(open_denoiser(*name).module, clean, 4) for name in ((CIFAR_DENOISER,), ())
    )
    for level, most in ((0.02, 0.8), (0.1, 0.5), (0.2, 0.4), (0.6, 0.25)):
        assert own[level] < min(other[level], most * level)


@torch.no_grad()
def test_the_denoiser_removes_noise_from_even_areas_of_any_grey() -> None:
    model, draw = open_denoiser(), torch.Generator().manual_seed(3)
    for grey in (0.2, 0.5, 0.8):
        clean = torch.full((2, 3, 96, 112), grey)
        noisy = clean + 0.2 * torch.randn(clean.shape, generator=draw)
        assert (model(noisy, torch.full((2,), 0.2)) - clean).square().mean().sqrt() < 0.07


@pytest.fixture(scope="module")
def pictures() -> LabelledImages:
    """Some of CIFAR-10's test images, where they are at hand."""
    try:
        test = load_cifar10(None, "test")
    except StudioError as error:
        pytest.skip(str(error))
    return LabelledImages(test.images[:600], test.labels[:600])


@pytest.mark.data
@pytest.mark.parametrize(("name", "least"), [("vgg", 0.88), ("vgg-averaged", 0.88), ("", 0.78)])
def test_classifiers_of_cifar10_are_as_good_as_their_cards_say(name, least, pictures) -> None:
    module = open_network(name).module if name else open_judge(kind=COLOUR)
    outputs = classifier.predict(module, pictures, recipes.VGG_RECIPE)
    assert classifier.accuracy(outputs, pictures.labels) > least


@pytest.mark.data
def test_cifar10_is_told_from_noise(pictures) -> None:
    module = open_discriminator(CIFAR_DISCRIMINATOR).module
    noise = torch.rand(50, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert float(module(pictures.pixels(slice(100))).sigmoid().mean()) > 0.5
    assert float(module(noise).sigmoid().max()) < 0.1
