"""Sessions whose chains are pulled towards photographs by a denoiser."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ldam_studio.engine import prior
from ldam_studio.engine.advance import GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.setting_notes import setting_notes
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks import denoisers
from ldam_studio.networks.denoisers import (
    CIFAR_DENOISER,
    PHOTO_DENOISER,
    DenoiserModel,
    denoiser_for,
)
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

WEIGHED = {"denoiser_weight": 1.0, "clamp": True}


class Blur(nn.Module):
    """Takes what differs from the neighbours for noise, and notes for how many images.

    `opened` has the names of the denoisers whose place it took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.sizes: list[int] = []
        self.opened: set[str] = set()

    def forward(self, pixels: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        self.calls.append(len(noise))
        self.sizes.append(pixels.shape[-1])
        return nn.functional.avg_pool2d(pixels, 3, 1, 1, count_include_pad=False)


@pytest.fixture(autouse=True)
def blur(monkeypatch: pytest.MonkeyPatch) -> Blur:
    module = Blur()
    replace_denoisers(monkeypatch, module, "b")
    return module


def replace_denoisers(monkeypatch: pytest.MonkeyPatch, module: Blur, letter: str) -> None:
    """Let the module be every denoiser, with hashes of this letter and the name's length."""

    def open_denoiser(name: str, device: str = "cpu") -> DenoiserModel:
        module.opened.add(name)
        return DenoiserModel(module, f"{letter * 62}{len(name):02}")

    monkeypatch.setattr(prior, "open_denoiser", open_denoiser)


def network(side: int = 64, channels: int = 3) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Conv2d(channels, 4, 9, stride=8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 5),
        )
    pixels = PixelSpec(channels, side, side, (0.5,) * channels, (0.5,) * channels, rest=0.5)
    return Network("small", module.eval().requires_grad_(False), pixels)


@pytest.fixture(scope="module")
def photographic() -> Network:
    return network()


def opened(net: Network, chains: int = 2, beside=(), **settings):
    neurons = tuple(Neuron("4", i) for i in range(chains))
    return open_session(SessionSpec(net, neurons, Settings.of(**settings), seed=3, beside=beside))


def test_it_takes_part_in_every_kth_step_of_the_session(photographic, run, blur):
    state, _ = run(opened(photographic, **WEIGHED, denoiser_every=3), 7)
    assert blur.calls == [2, 2, 2]
    run(state, 1, {7: [("denoiser_every", 7)]})
    assert len(blur.calls) == 4


def test_without_weight_nothing_is_evaluated_and_no_bit_changes(photographic, run, blur):
    plain, _ = run(opened(photographic), 5)
    off, _ = run(opened(photographic, denoiser_weight=0, denoiser_every=1, denoiser_noise=0.5), 5)
    assert torch.equal(plain.lane.chains.x, off.lane.chains.x)
    assert not blur.calls and not any("denoiser" in name for name in off.generators.state())


def test_chains_without_weight_go_as_they_would(photographic, run):
    plain, _ = run(opened(photographic), 4)
    one, _ = run(opened(photographic, denoiser_weight=(0.0, 1.0)), 4)
    assert torch.equal(plain.lane.chains.x[0], one.lane.chains.x[0])
    assert not torch.equal(plain.lane.chains.x[1], one.lane.chains.x[1])


def test_it_removes_what_it_takes_for_noise(photographic, run):
    ends = [
        run(opened(photographic, denoiser_weight=weight, clamp=True, start_spread=0.2), 20)[0]
        for weight in (0.0, 1.0)
    ]
    rough, smooth = (s.lane.chains.x.diff(dim=-1).square().mean() for s in ends)
    assert smooth < rough / 2


def test_its_noise_level_follows_the_schedule(photographic, run):
    state = opened(photographic, **WEIGHED, schedule=2, denoiser_noise_start=0.4)
    levels = []
    for _ in range(4):
        (found,) = prior.draw_priors(state.lanes, 0, state.device, state.generators)
        levels.append(float(found.level[0]))
        state, _ = run(state, 1)
    assert levels == pytest.approx([0.4, 0.2, 0.1, 0.1])


def test_it_follows_the_images_to_another_size(run, blur):
    state = opened(network(160), **WEIGHED, schedule=3, resolution_start=96, denoiser_every=1)
    state, _ = run(state, 6)
    assert blur.sizes == [96, 96, 80, 80, 80, 80]


@pytest.mark.parametrize(("side", "start"), [(64, 32), (32, 16)])
def test_at_a_coarse_resolution_it_is_the_same_denoiser(run, blur, side, start):
    state = opened(network(side), **WEIGHED, schedule=2, resolution_start=start, denoiser_every=1)
    state, _ = run(state, 3)
    assert blur.sizes[0] == start and blur.sizes[-1] == side
    assert blur.opened == {PHOTO_DENOISER if side == 64 else CIFAR_DENOISER}


@pytest.mark.parametrize(
    ("height", "width", "name"),
    [
        (224, 224, PHOTO_DENOISER),
        (64, 64, PHOTO_DENOISER),
        (63, 64, CIFAR_DENOISER),
        (32, 32, CIFAR_DENOISER),
        (24, 24, CIFAR_DENOISER),
        (23, 32, None),
    ],
)
def test_the_denoiser_is_chosen_by_the_size_of_the_images(height, width, name):
    rgb = PixelSpec(3, height, width, (0.5,) * 3, (0.5,) * 3, rest=0.5)
    grey = PixelSpec(1, height, width, (0.5,), (0.5,), rest=0.5)
    assert denoiser_for(rgb) == name and denoiser_for(grey) is None


def test_images_of_cifar_10_s_size_have_their_own_denoiser(run, blur):
    state, _ = run(opened(network(32), **WEIGHED, denoiser_every=1), 2)
    assert blur.calls == [2, 2] and blur.opened == {CIFAR_DENOISER}
    assert prior.denoiser_hash(state) == f"{'b' * 62}{len(CIFAR_DENOISER)}"


@pytest.mark.parametrize(("side", "channels"), [(16, 3), (64, 1)])
def test_tiny_and_grey_images_are_left_alone(run, blur, side, channels):
    net = network(side, channels)
    plain, _ = run(opened(net), 3)
    weighed, _ = run(opened(net, denoiser_weight=5.0), 3)
    assert torch.equal(plain.lane.chains.x, weighed.lane.chains.x) and not blur.calls
    assert prior.denoiser_hash(plain) is None


def test_a_step_that_is_given_up_draws_the_same_again(photographic, run):
    def give_up() -> None:
        raise GivenUp

    through, _ = run(opened(photographic, **WEIGHED), 3)
    state = opened(photographic, **WEIGHED)
    state, _ = advance(state, between=give_up)
    broken, _ = run(state, 3)
    assert torch.equal(through.lane.chains.x, broken.lane.chains.x)


def test_networks_that_are_compared_get_the_same_noise(photographic, run):
    beside = (LaneSpec(photographic, None, None, restart=True),)
    state, _ = run(opened(photographic, beside=beside, **WEIGHED, denoiser_every=2), 5)
    one, other = state.lanes
    assert torch.equal(one.chains.x, other.chains.x)


def test_a_saved_session_goes_on_with_the_same_bits(photographic, run, monkeypatch):
    state, _ = run(opened(photographic, **WEIGHED), 6)
    tensors, about = to_tensors(state)
    monkeypatch.setattr("ldam_studio.engine.session.Opener.network", lambda *_: photographic)
    again = from_tensors(tensors, about)
    ends = [run(s, 3)[0].lane.chains.x for s in (state, again)]
    assert torch.equal(*ends)


@pytest.fixture
def exported(tmp_path, photographic, run, monkeypatch):
    """A picture of a session in which the denoiser was turned on and off again."""
    monkeypatch.setattr("ldam_studio.engine.session.Opener.network", lambda *_: photographic)
    script = {3: [("denoiser_weight", (1.0, 0.3))], 8: [("denoiser_weight", 0.0)]}
    state, _ = run(opened(photographic), 12, script)
    export(state, Shown("raw"), tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_picture_replays_to_the_same_pixels(exported, blur):
    before = len(blur.calls)
    assert compare(exported).identical
    assert len(blur.calls) == 2 * before
    assert read_recipe(exported).said.denoiser == f"{'b' * 62}{len(PHOTO_DENOISER):02}"
    assert blur.opened == {PHOTO_DENOISER}


def test_with_another_denoiser_a_picture_is_not_replayed(exported, blur, monkeypatch):
    replace_denoisers(monkeypatch, blur, "c")
    with pytest.raises(StudioError, match=r"made with another denoiser \(SHA-256 bbbb"):
        compare(exported)


def test_the_window_says_that_mala_leaves_it_out(photographic):
    lane = opened(photographic, **WEIGHED, kernel="mala").lane
    assert setting_notes(lane)["denoiser_weight"] == "No effect with the kernel mala."
    assert "denoiser_weight" not in setting_notes(opened(photographic, **WEIGHED).lane)


def test_a_recipe_names_the_denoiser_of_a_network_that_is_gone(photographic, run):
    state, _ = run(opened(photographic, **WEIGHED), 6, {5: [("network", network(32))]})
    both = [f"{'b' * 62}{len(name):02}" for name in (PHOTO_DENOISER, CIFAR_DENOISER)]
    assert prior.denoiser_hash(state) == "+".join(both)
    prior.check_same_denoiser("+".join(both))
    state, _ = run(opened(photographic, **WEIGHED), 6, {5: [("network", network(16))]})
    assert prior.denoiser_of(state.lane) is None and prior.denoiser_hash(state) == both[0]
    state, _ = run(opened(network(16), **WEIGHED), 2)
    assert prior.denoiser_hash(state) is None


def test_weights_that_are_missing_refuse_the_setting(photographic, monkeypatch, tmp_path):
    def missing(*_: str) -> None:
        raise StudioError("The shipped file models/denoiser.safetensors is missing.")

    monkeypatch.setattr(denoisers, "asset", missing)
    monkeypatch.setattr(prior, "open_denoiser", denoisers.open_denoiser.__wrapped__)
    state, info = advance(opened(photographic), [Change("denoiser_weight", 1.0)])
    assert info.refused == ("The shipped file models/denoiser.safetensors is missing.",)
    assert state.lane.settings.denoiser_weight == 0 and not state.log
    with pytest.raises(StudioError, match="is missing"):
        opened(photographic, **WEIGHED)
    damaged = tmp_path / "denoiser.safetensors"
    damaged.write_bytes(b"\x00" * 100)
    monkeypatch.setattr(denoisers, "asset", lambda *_: damaged)
    for net in (photographic, network(32)):
        with pytest.raises(StudioError, match=r"damaged"):
            opened(net, **WEIGHED)


def test_a_network_whose_denoiser_is_missing_is_refused(photographic, monkeypatch):
    state = opened(photographic, **WEIGHED)

    def missing(name: str, *_: str) -> None:
        raise StudioError(f"The shipped file models/{name}.safetensors is missing.")

    monkeypatch.setattr(prior, "open_denoiser", missing)
    state, info = advance(state, [Change("network", network(32))], budget=0)
    assert info.refused == (f"The shipped file models/{CIFAR_DENOISER}.safetensors is missing.",)
    assert state.lane.network is photographic and not state.log


def test_with_the_shipped_denoiser_a_picture_of_the_vgg_replays_to_the_same_pixels(
    run, monkeypatch, tmp_path
):
    monkeypatch.setattr(prior, "open_denoiser", denoisers.open_denoiser)
    neurons = tuple(map(Neuron.parse, ("fc:3", "fc:8")))
    settings = Settings.of(**WEIGHED, denoiser_every=2, schedule=4, denoiser_noise_start=0.5)
    spec = SessionSpec(open_network("vgg"), neurons, settings, seed=3)
    state, _ = run(open_session(spec), 6, {4: [("denoiser_weight", (1.0, 0.3))]})
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical
    shipped = denoisers.open_denoiser(CIFAR_DENOISER)
    assert read_recipe(tmp_path / "a.png").said.denoiser == shipped.sha256
