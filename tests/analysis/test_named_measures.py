"""What judges are asked, how alike pictures are, splits of classes, photographs of classes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from ldam_studio.analysis import class_photographs, torch_lucent
from ldam_studio.analysis.class_photographs import find_class_photographs
from ldam_studio.analysis.class_splits import SPLITS, classes_of, split_of
from ldam_studio.analysis.drawing import Chains, Drawn, in_batches, seconds_for, steps_for
from ldam_studio.analysis.named import ask, features_layer, measure
from ldam_studio.engine.compute.device import Device
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.presets import Preset, find_preset

GREY = (0.5, 0.5, 0.5)
PIXELS = PixelSpec(3, 32, 24, GREY, GREY, 0.5)


def network(classes: int = 10, pixels: PixelSpec = PIXELS) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(pixels.channels, 4, 5, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, classes),
        )
    return Network("tiny", module, pixels)


class Flat(nn.Module):
    """The same output for all classes, or none at all."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 10, 1)
        nn.init.zeros_(self.layer.weight)
        nn.init.constant_(self.layer.bias, value)

    def forward(self, x):
        return self.layer(x).mean((2, 3))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Ten classes with twelve pictures of one colour each; that of class i has 20 i of red."""
    for index in range(10):
        folder = tmp_path / "photographs" / f"class{index}"
        folder.mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (50, 40), (20 * index, 0, 255)).save(folder / f"{number:02}.png")
    return tmp_path / "photographs"


def test_the_judge_ranks_the_class_that_was_asked_for() -> None:
    judge = network()
    images = torch.rand(4, 3, 60, 45, generator=torch.Generator().manual_seed(0))
    every = [ask(judge, images, torch.full((4,), label)) for label in range(10)]
    for image in range(4):
        assert sorted(int(found.ranks[image]) for found in every) == list(range(10))
    total = torch.stack([found.probability for found in every]).sum(0)
    assert total.tolist() == pytest.approx([1] * 4, abs=1e-5)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_ties_and_what_is_no_number_count_against_the_picture(value) -> None:
    judge = Network("flat", Flat(0.0), PIXELS)
    judge.module.layer.bias.data.fill_(value)
    found = ask(judge, torch.rand(2, *PIXELS.shape), torch.tensor([0, 9]))
    assert found.ranks.tolist() == [9, 9]


def test_features_are_those_before_the_classes() -> None:
    judge = network()
    assert features_layer(judge) == "3"
    images = torch.rand(3, *PIXELS.shape, generator=torch.Generator().manual_seed(0))
    found = ask(judge, images, torch.zeros(3, dtype=torch.int64)).features
    assert torch.allclose(found, judge.output(images, "1").mean((2, 3)), atol=1e-6)


class Stamps:
    """Draws the number of a class as a colour, which differs from seed to seed."""

    name = "stamps"

    def __init__(self) -> None:
        self.drawn: list[tuple[int, int, int]] = []

    def draw(self, neurons, steps, seed, on_step=lambda: None) -> Drawn:
        self.drawn.append((len(neurons), steps, seed))
        for _ in range(steps):
            on_step()
        images = torch.stack(
            [torch.full(PIXELS.shape, (neuron.index + seed) / 100) for neuron in neurons]
        )
        return Drawn(images, None, 0.5 * len(neurons))

    def json(self):
        return {"tool": "stamps"}


def test_each_run_draws_all_classes_in_batches_with_seeds_of_their_own() -> None:
    stamps, steps = Stamps(), []
    neurons = [Neuron("4", index) for index in range(12)]
    judges = [network(12), network(12)]
    row = measure(stamps, judges, neurons, 3, range(4), 0.5, 2.0, lambda: steps.append(1))
    assert stamps.drawn == [(10, 3, 0), (2, 3, 1), (10, 3, 2), (2, 3, 3)]
    assert len(steps) == 12
    assert row.seconds == 0.5 and row.asked_seconds == 2.0 and row.name == "stamps"
    (seen,) = row.seen  # there are no averages
    assert seen.frames == "last" and len(seen.named) == 2
    assert seen.named[0] == seen.named[1]
    assert len(seen.named[0].ranks) == 24
    # Pictures of one colour, all darker than the rest colour, point the same way.
    assert seen.likeness == pytest.approx(1)
    assert row.pictures[0].shape == (12, *PIXELS.shape)


def test_a_single_picture_of_a_class_resembles_nothing() -> None:
    row = measure(Stamps(), [network()], [Neuron("4", 1)], 2, [0], 0.5)
    assert row.seen[0].likeness != row.seen[0].likeness
    assert row.json()["last"]["pixel_cosine"] is None
    assert row.json()["last"]["judges"][0]["feature_cosine"] is None


class Clockwork:
    """Takes a second for the start and two for each step of a picture."""

    name = "clockwork"

    def draw(self, neurons, steps, seed, on_step=lambda: None) -> Drawn:
        return Drawn(torch.zeros(0), None, len(neurons) * (1.0 + 2.0 * steps))

    def json(self):
        return {}


def test_steps_are_told_from_the_time_of_a_few() -> None:
    timed = seconds_for(Clockwork(), [Neuron("4", index) for index in range(30)])
    assert timed == (1.0, 2.0)
    assert steps_for(timed, 21.0) == 10
    assert steps_for(timed, 0.1) == 2


def test_chains_are_those_of_the_preset() -> None:
    chains = Chains(network(), find_preset("clean"), 0.0, None, Device())
    neurons = [Neuron("4", index) for index in range(3)]
    once, again = (in_batches(chains, neurons, 4, [7]) for _ in range(2))
    assert torch.equal(once.last, again.last) and torch.equal(once.averaged, again.averaged)
    assert once.seconds > 0 and not torch.equal(once.last, once.averaged)
    other = in_batches(chains, neurons, 4, [8])
    assert not torch.equal(once.last, other.last)
    assert chains.json() == {"preset": "clean", "discriminator_weight": 0.0}


def test_splits_are_fixed_apart_and_about_halves() -> None:
    assert classes_of("report", 10) == [2, 5, 6]
    tune, report = (set(classes_of(split, 1000)) for split in SPLITS)
    assert not tune & report and tune | report == set(range(1000))
    assert len(report) == 477
    assert split_of(2) == "report" and split_of(0) == "tune"


def test_photographs_know_their_classes(photographs) -> None:
    (found,) = find_class_photographs([photographs], network())
    images, classes = found.read([3, 7], PIXELS)
    assert images.shape == (2 * class_photographs.MOST, *PIXELS.shape)
    assert classes.tolist() == [3] * 10 + [7] * 10
    assert images[0, :, 0, 0].tolist() == pytest.approx([60 / 255, 0, 1], abs=1e-6)
    assert images[10, :, 5, 5].tolist() == pytest.approx([140 / 255, 0, 1], abs=1e-6)


def test_classes_in_files_names_and_a_place_that_lacks_some(photographs, tmp_path) -> None:
    flat, few = tmp_path / "flat", tmp_path / "few"
    for folder in (flat, few):
        folder.mkdir()
    for index in range(10):
        for number in range(2):
            Image.new("RGB", (30, 30)).save(flat / f"class{index}_{number}.png")
    for number in range(16):
        Image.new("RGB", (30, 30)).save(few / f"class7_{number}.png")
    ours = network()
    whole, part = find_class_photographs([flat, few], ours)
    assert whole.read([7], PIXELS)[1].tolist() == [7, 7]
    assert part.read([3, 7], PIXELS)[1].tolist() == [7] * 10
    nothing, classes = part.read([3], PIXELS)
    assert len(nothing) == len(classes) == 0


def test_photographs_that_do_not_fit_are_a_sentence(photographs) -> None:
    with pytest.raises(StudioError, match="have 10 classes, but tiny has 9"):
        find_class_photographs([photographs], network(9))
    grey = PixelSpec(1, 16, 16, (0.5,), (0.5,))
    with pytest.raises(StudioError, match="takes no RGB images"):
        find_class_photographs([photographs], network(10, grey))
    assert find_class_photographs([], network(10, grey)) == []


def test_the_centre_is_what_is_looked_at(tmp_path) -> None:
    for number in range(16):
        picture = Image.new("RGB", (256, 256), (255, 0, 0))
        picture.paste((0, 255, 0), (17, 17, 239, 239))
        picture.save(tmp_path / f"class{number % 2}_{number}.png")
    square = PixelSpec(3, 224, 224, GREY, GREY, 0.5)
    (found,) = find_class_photographs([tmp_path], network(2, square))
    image = found.read([0], square)[0][0]
    assert image[1, 1:-1, 1:-1].min() == 1 and image[0, 0, 0] == 1


@pytest.mark.skipif(not torch_lucent.installed(), reason="torch-lucent is not installed")
def test_torch_lucent_draws_the_same_from_the_same_seed(monkeypatch) -> None:
    from tqdm import tqdm

    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # else its bars leave a thread behind
    lucent = torch_lucent.TorchLucent(network())
    before, steps = torch.random.get_rng_state(), []
    neurons = [Neuron("4", 1), Neuron("4", 2)]
    once = lucent.draw(neurons, 3, 5, lambda: steps.append(1))
    assert len(steps) == 3 and torch.equal(before, torch.random.get_rng_state())
    assert once.averaged is None and once.last.shape == (2, 3, 128, 128)
    assert 0 <= once.last.min() and once.last.max() <= 1
    assert torch.equal(once.last, lucent.draw(neurons, 3, 5).last)
    assert not torch.equal(once.last, lucent.draw(neurons, 3, 6).last)
    assert not lucent.network.module._forward_hooks


def test_a_schedule_lasts_as_long_as_the_run() -> None:
    def last(schedule: int, steps: int):
        falling = {"schedule": schedule, "step_size_start": 0.5, "step_size": 0.02}
        preset = Preset("falling", "Falling", "", falling)
        chains = Chains(network(), preset, None, None, Device())
        assert chains.name == "falling"  # no discriminator, no weight
        return chains.draw([Neuron("4", 0)], steps, 0).last

    assert torch.equal(last(100, 6), last(6, 6))
    assert not torch.equal(last(0, 6), last(6, 6))
