"""Photo statistics: which layers, what is measured, files, and where they are found."""

from __future__ import annotations

import json
import threading

import pytest
import torch
from safetensors.torch import save
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.statistics import finding
from ldam_studio.networks.statistics.finding import find_statistics, keep, statistics_by_hash
from ldam_studio.networks.statistics.layers import choose_layers
from ldam_studio.networks.statistics.measuring import measure
from ldam_studio.networks.statistics.statistics import ABOUT, key_of, of_file
from ldam_studio.sampler.preconditioner import clouds
from small_networks import Normed


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(finding, "statistics_folder", lambda: tmp_path / "statistics")


def block(inside, outside, stride=1):
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.ReLU())


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            *(block(3, 6, 2), block(6, 8), block(8, 8), block(8, 8), block(8, 10), block(10, 10)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(10, 4),
        )
    return Network("own", module, PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3, rest=0.5))


def photos(count, seed=0):
    """Smooth images, as photographs are beside noise."""
    noise = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return (255 * (0.5 + 0.2 * clouds(noise, 1.0, 0.8)).clamp(0, 1)).byte()


def departures(network, x, side=32):
    expected = network.expected(side, "8")
    return expected.departure(network.output_and_moments(x, "8", expected.layers)[1], 1.0)


def test_layers_are_blocks_spread_over_the_depth(network):
    noise = torch.rand(1, 3, 32, 32)
    assert choose_layers(network.module, noise) == ("0", "1", "3", "4", "5")


def test_overwritten_repeated_and_last_layers_are_left_out():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
            self.pool, self.norm, self.act = nn.MaxPool2d(2), nn.InstanceNorm2d(4), nn.ReLU()
            self.head = nn.Conv2d(4, 5, 1)
            self.last = nn.ReLU()

        def forward(self, x):
            x = self.pool(self.act(self.first(x)))
            x = self.norm(self.act(self.second(x))).relu_()
            return self.last(self.head(x))

    noise = torch.rand(1, 3, 32, 32)
    found = choose_layers(Own().eval(), noise)
    assert "pool" in found and not {"act", "norm", "head", "last"} & set(found)


def test_passes_of_other_threads_do_not_count(network):
    """A session may be running the module while another one is opened."""
    noise, expected = (
        torch.rand(1, 3, 32, 32),
        choose_layers(network.module, torch.rand(1, 3, 32, 32)),
    )

    def also(_module, _inputs):
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=lambda: network.module[:3](noise))
            other.start()
            other.join()

    with network.module[2].register_forward_pre_hook(also):
        assert choose_layers(network.module, noise) == expected


def test_a_network_without_convolutions_has_none():
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    assert choose_layers(module, torch.rand(1, 3, 8, 8)) == ()
    plain = Network("plain", module, PixelSpec(3, 8, 8, (0.0,) * 3, (1.0,) * 3))
    with pytest.raises(StudioError, match=r"plain has no convolutional layers"):
        measure(plain, torch.zeros(16, 3, 8, 8, dtype=torch.uint8), "")
    assert plain.photo_statistics is None and "statistics" not in plain.reference


def test_photographs_depart_little_and_noise_much(network):
    kept = keep(measure(network, photos(64), "smooth images"))
    found = network.photo_statistics
    assert found.sha256 == of_file(kept).sha256
    assert network.reference["statistics"] == found.sha256
    assert list(found.sides) == [18, 23, 27, 32] and found.source == "smooth images"
    real = departures(network, photos(16, seed=5) / 255)
    noise = departures(network, torch.rand(16, 3, 32, 32))
    assert 2 * real.mean() < noise.mean()
    smaller = torch.nn.functional.interpolate(photos(16, seed=5) / 255, (18, 18))
    assert 2 * departures(network, smaller, side=18).mean() < noise.mean()


def test_what_is_measured_is_the_mean_and_the_spread_over_photographs(network):
    """Uniform images, which look the same in all views but at the rest colour's border."""
    images = torch.full((20, 3, 32, 32), 128, dtype=torch.uint8)
    found = measure(network, images, "")
    mean, std = found.sides[32]
    _, moments = network.output_and_moments(images / 255, "8", found.layers)
    torch.testing.assert_close(mean, torch.cat(moments, dim=1)[0], atol=2e-3, rtol=0.05)
    assert (std >= 0).all()
    again = measure(network, images, "")
    assert again.sha256 == found.sha256


def test_hidden_layers_are_compared_up_to_themselves(network):
    keep(measure(network, photos(32), ""))
    assert network.expected(32, "3.0").layers == ("0", "1")
    assert network.expected(32, "0.0") is None
    expected = network.expected(32, "3.0")
    assert float(expected.share.sum()) == pytest.approx(1)
    assert float(expected.share[:12].sum()) == pytest.approx(0.5)


def test_the_key_is_that_of_the_weights(network):
    key = key_of(network.module)
    assert key_of(network.module.to(memory_format=torch.contiguous_format)) == key
    with torch.no_grad():
        network.module[8].bias += 1e-3
    assert key_of(network.module) != key
    assert find_statistics(key_of(network.module)) is None


def test_several_measurements_are_told_apart(network):
    first, second = (measure(network, photos(32), "", seed) for seed in (0, 1))
    keep(first)
    keep(second)
    assert network.photo_statistics.sha256 == second.sha256
    assert statistics_by_hash(first.sha256).sha256 == first.sha256
    with pytest.raises(StudioError, match=r"SHA-256 abc\.\.\. are not on this computer; measure"):
        statistics_by_hash("abc")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: save({"32.mean": torch.zeros(4)}, {ABOUT: "[]"}),
        lambda data: save({"32.mean": torch.zeros(4)}),
        lambda data: save(
            {"32.mean": torch.zeros(4), "32.std": torch.zeros(4)},
            {ABOUT: json.dumps({"key": "", "layers": ["0"], "channels": [2]})},
        ),
        lambda data: save(
            {"32.mean": torch.zeros(4), "32.std": torch.ones(4)},
            {ABOUT: json.dumps({"key": "", "layers": ["0"], "channels": [-9]})},
        ),
        lambda data: save(
            {"32.mean": torch.zeros(4), "32.std": torch.ones(4)},
            {ABOUT: '{"key": "", "layers": ["0"], "channels": [1e400]}'},
        ),
        lambda data: save({"32.mean": torch.zeros(4)}, {ABOUT: 100_000 * "["}),
        lambda data: save({"a": torch.zeros(4)}, {ABOUT: json.dumps({"key": "", "layers": 3})}),
    ],
)
def test_a_damaged_file_is_one_sentence(network, damage):
    path = keep(measure(network, photos(16), ""))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StudioError, match=r"^The photo statistics in .* are damaged .*; delete"):
        of_file(path)


def test_a_file_for_other_layers_is_not_used(network):
    found = measure(network, photos(16), "")
    path = keep(found)
    data = path.read_bytes().replace(b'\\"0\\"', b'\\"x\\"')
    path.write_bytes(data)
    assert network.photo_statistics is None


def test_statistics_are_kept_in_the_programs_cache(network, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert keep(measure(network, photos(16), "")).parent == tmp_path / "elsewhere" / "statistics"


@pytest.mark.parametrize("folds", [True, False])
def test_batch_norms_say_what_photographs_give(folds):
    """A norm with bias b and weight g was trained to give the mean b and the variance g^2."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Normed()
        with torch.no_grad():
            for norm in module.norms:
                norm.bias.normal_()
                norm.weight.normal_()
    network = Network("normed", module, PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3))
    if not folds:
        network._folded = None
    found = network.photo_statistics
    assert found.layers == ("norms.0", "norms.1", "norms.2") and not found.sha256
    assert "statistics" not in network.reference
    mean, std = (part.split([6] * 6) for part in found.sides[32])
    for number, norm in enumerate(module.norms):
        assert torch.equal(mean[2 * number], norm.bias)
        total = mean[2 * number + 1].square() + std[2 * number + 1].square()
        total = total + std[2 * number].square()
        scale = norm.weight.square()
        assert ((total / scale - 0.78).abs() < 0.01)[norm.weight.abs() > 1].all()
    # The moments are those of the norms' outputs, before the rectifiers overwrite them.
    x = torch.rand(2, 3, 32, 32, requires_grad=True)
    expected = network.expected(32, "head")
    _, moments = network.output_and_moments(x, "head", expected.layers, moments=expected.moments_of)
    plain = module.norms[0](module.convs[0](network.normalise(x)))
    torch.testing.assert_close(moments[0][:, :6], plain.mean((2, 3)), atol=1e-5, rtol=1e-4)
    (slope,) = torch.autograd.grad(expected.departure(moments, 1.0).sum(), x)
    assert slope.isfinite().all() and slope.any()


def test_a_recipe_is_written_without_running_the_network(monkeypatch):
    network = Network("normed", Normed(), PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3))
    monkeypatch.setattr(network.module, "forward", lambda _x: pytest.fail("run"))
    assert "statistics" not in network.reference


def test_a_measurement_comes_before_batch_norms():
    network = Network("normed", Normed(), PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3))
    kept = measure(network, photos(16), "measured")
    keep(kept)
    assert network.photo_statistics.sha256 == kept.sha256
