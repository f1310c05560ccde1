"""Chains with photo statistics: the strength of the pull, when it is measured, and replay."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.balanced import balanced_of, without_statistics
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.measuring import measure_for
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.statistics import finding
from ldam_studio.networks.statistics.finding import keep
from ldam_studio.networks.statistics.measuring import measure
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View
from ldam_studio.training.data import load_digits_sheet
from small_networks import Normed

PLAIN = (View(),)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "statistics"
    monkeypatch.setattr(finding, "statistics_folder", lambda: folder)
    return folder


@pytest.fixture(scope="module")
def statistics():
    return measure(open_network("lenet"), load_digits_sheet().images[::50], "digits")


@pytest.fixture
def network(cache, statistics):
    """LeNet with the statistics of digits."""
    keep(statistics)
    return open_network("lenet")


@pytest.fixture
def open_one(network):
    def make(chains=3, neurons=None, **settings):
        settings = {"photo_statistics": 0.5} | settings
        neurons = neurons or network.default_neurons(chains)
        return open_session(SessionSpec(network, neurons, Settings.of(**settings), seed=1))

    return make


def parts(lane, device, x):
    """Return the gradients of the objective and of H, and H."""
    expected = lane.network.expected(28, lane.targets.layer)
    leaf = x.clone().requires_grad_(True)
    _, moments = lane.network.output_and_moments(leaf, lane.targets.layer, expected.layers)
    departure = expected.departure(moments, lane.settings.statistics_tolerance)
    (other,) = torch.autograd.grad(departure.sum(), leaf)
    return activation_of(lane, device)(x)[1], other, departure.detach()


@pytest.mark.parametrize("spectrum", [0.0, 0.5])
def test_the_pull_has_its_strength_relative_to_the_objective(open_one, spectrum):
    weights = (0.5, 0.25, 0.0)
    state = open_one(photo_statistics=weights, spectrum=spectrum, colour_correlation=0.0)
    lane, x = state.lane, state.lane.chains.x
    own, other, departure = parts(lane, state.device, x)
    strength = lane.parameters.strength
    gamma = torch.tensor(weights) * strength(own) / strength(other)
    balanced = balanced_of(lane, state.device, PLAIN)
    value, slope = balanced(x)
    torch.testing.assert_close(balanced.balance.gamma, gamma)
    torch.testing.assert_close(slope, own - gamma.reshape(-1, 1, 1, 1) * other)
    torch.testing.assert_close(value, balanced.objective - gamma * departure)
    assert torch.equal(balanced.objective, activation_of(lane, state.device)(x)[0])
    # Between measurements the balance stays, and one backward pass gives the same gradient.
    held = replace(lane, balance=replace(balanced.balance, age=1))
    further = balanced_of(held, state.device, PLAIN)
    torch.testing.assert_close(further(x)[1], slope)
    assert torch.equal(further.balance.gamma, balanced.balance.gamma)


def test_it_is_measured_at_some_ages_only(open_one, run):
    state = open_one()
    found = []
    for _ in range(52):
        state, _ = run(state, 1)
        found.append(state.lane.balance.gamma)
    changed = [i for i in range(1, 52) if not torch.equal(found[i], found[i - 1])]
    assert changed == [3, 10, 25, 50] and state.lane.balance.age == 52


def test_the_gradient_agrees_with_finite_differences(open_one, run):
    """At a kink the difference is that of two sides, so that few directions are enough."""
    state, _ = run(open_one(), 2)
    lane = state.lane
    x = lane.chains.x.double().float()
    way = torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    way = way / way.norm()

    def value(x):
        return balanced_of(lane, state.device, PLAIN)(x)

    _, slope = value(x)
    up, down = value(x + 0.02 * way)[0], value(x - 0.02 * way)[0]
    torch.testing.assert_close(
        (up - down) / 0.04, (slope * way).flatten(1).sum(1), rtol=0.05, atol=0.02
    )


def test_several_views_are_averaged(open_one):
    state = open_one()
    lane, x = state.lane, state.lane.chains.x
    views = (View(shift=(2, -1)), View(zoom=1.2))
    value, slope = balanced_of(lane, state.device, views)(x)
    expected = activation_of(lane, state.device, views)
    assert slope.isfinite().all() and value.shape == (3,)
    found = balanced_of(lane, state.device, views)
    found(x)
    torch.testing.assert_close(found.objective, expected(x)[0])


def test_what_is_shown_is_the_objective(open_one, run):
    state = open_one(objective="log-probability")
    expected = activation_of(state.lane, state.device)(state.lane.chains.x)[0]
    _, infos = run(state, 1)
    assert torch.equal(infos[0].lanes[0].activation, expected)


def test_chains_come_closer_to_photographs(open_one, run):
    found = {}
    for weight in (0.0, 0.5):
        state, _ = run(open_one(photo_statistics=weight, temperature=0.001), 40)
        found[weight] = parts(state.lane, state.device, state.lane.chains.x)[2].mean()
    assert found[0.5] < 0.7 * found[0.0]


def test_a_metropolis_test_sees_one_density(open_one):
    """Both evaluations of a step have the same gamma, that of the first pixels."""
    state = open_one(kernel="mala")
    lane, x = state.lane, state.lane.chains.x
    balanced = balanced_of(lane, state.device, PLAIN)
    balanced(x)
    gamma = balanced.balance.gamma
    other = x + 0.01
    value, _ = balanced(other)
    departure = parts(lane, state.device, other)[2]
    expected = activation_of(lane, state.device)(other)[0] - gamma * departure
    torch.testing.assert_close(value, expected)
    assert torch.equal(balanced.balance.gamma, gamma)


def test_small_steps_are_accepted(open_one, run):
    settings = {"kernel": "mala", "temperature": 0.01, "step_size": 1e-5, "l2": 0.0}
    _, infos = run(open_one(**settings), 12)
    accepted = torch.stack([info.lanes[0].acceptance for info in infos])
    assert accepted.mean() > 0.9


@pytest.mark.parametrize("kernel", ["langevin", "mala"])
def test_replay_is_exact(open_one, run, kernel, tmp_path):
    state = open_one(kernel=kernel, jitter=1, spectrum=0.25)
    changes = {4: [("photo_statistics", 0.2)], 6: [("statistics_tolerance", 0.5)]}
    state, _ = run(state, 15, changes | {8: [("objective", "mix")], 9: [("melt", 3)]})
    export(state, Shown("raw"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical


def test_a_recipe_names_the_statistics(open_one, run, cache, tmp_path):
    state, _ = run(open_one(), 2)
    export(state, Shown("raw"), tmp_path / "a.png")
    for file in cache.iterdir():
        file.unlink()
    with pytest.raises(StudioError, match=r"^The photo statistics with SHA-256 .* measure them"):
        compare(tmp_path / "a.png")
    plain, _ = run(open_one(photo_statistics=0.0), 2)  # which needs none
    export(plain, Shown("raw"), tmp_path / "b.png")
    assert compare(tmp_path / "b.png").identical


@pytest.fixture
def normed(cache, monkeypatch):
    """Return a function that opens a network with batch norms, as recipes also do."""

    def opened(*_):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return Network("lenet", Normed(), PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3))

    monkeypatch.setattr("ldam_studio.engine.session.open_network", opened)
    return opened


def measured_on_noise(network):
    generator = torch.Generator().manual_seed(0)
    photos = torch.randint(0, 256, (16, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return keep(measure(network, photos, "noise"))


@pytest.mark.parametrize("late", [False, True])
def test_what_was_measured_later_does_not_change_a_replay(normed, run, tmp_path, late):
    """The picture was made with what batch norms say."""
    network = normed()
    settings = Settings.of(photo_statistics=0.0 if late else 0.5)
    state = open_session(SessionSpec(network, network.default_neurons(2), settings, seed=1))
    state, _ = run(state, 4, {2: [("photo_statistics", 0.4)], 3: [("photo_statistics", 0.0)]})
    stored = to_tensors(state)
    export(state, Shown("raw"), tmp_path / "a.png")
    measured_on_noise(network)
    assert normed().photo_statistics.sha256
    assert compare(tmp_path / "a.png").identical
    assert not from_tensors(*stored).lane.network.photo_statistics.sha256


def photographs(place, count=16):
    place.mkdir()
    draws = np.random.default_rng(0)
    for number in range(count):
        picture = Image.fromarray(draws.integers(0, 256, (5, 6, 3), dtype=np.uint8))
        picture.resize((90, 75), Image.Resampling.BICUBIC).save(place / f"{number}.png")
    return place


def measured_in(state, place):
    found = measure_for(state.lane.network, place, lambda _done, _total: None)
    return [("statistics", found)]


@pytest.mark.parametrize("late", [False, True])
def test_what_is_measured_in_a_session_is_used_from_then_on(normed, run, tmp_path, late):
    """A replay uses what batch norms say before, and what was measured after."""
    network, place = normed(), photographs(tmp_path / "photos")
    settings = Settings.of(photo_statistics=0.0 if late else 0.5)
    spec = SessionSpec(network, network.default_neurons(2), settings, seed=1)
    script = {2: [("photo_statistics", 0.5)]} if late else {}
    state, _ = run(open_session(spec), 4, script)
    estimated = state.lane.network.expected(32, "head")
    chains, script = state.lane.chains.x, {4: measured_in(state, place)}
    state, infos = run(state, 3, script)
    assert infos[0].told == ("photo statistics measured",)
    own, found = state.lane.network.expected(32, "head"), normed().expected(32, "head")
    assert own.layers != estimated.layers and torch.equal(own.mean, found.mean)
    assert state.lane.balance.age == 3 and not torch.equal(chains, state.lane.chains.x)
    assert not spec.network.photo_statistics.sha256  # an earlier moment keeps what it had
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical
    stored = from_tensors(*to_tensors(state)).lane.network
    assert stored.photo_statistics.sha256 == normed().photo_statistics.sha256


def test_photographs_are_measured_once(normed, run, cache, tmp_path, monkeypatch):
    network, place = normed(), photographs(tmp_path / "photos")
    told = []
    first = measure_for(network, place, lambda done, total: told.append((done, total)))
    assert told == [(done, 5) for done in range(5)]
    monkeypatch.setattr("ldam_studio.training.statistics.measure", lambda *_: pytest.fail("again"))
    again = measure_for(normed(), place, lambda _done, _total: None)
    assert again.statistics.sha256 == first.statistics.sha256 and len(list(cache.iterdir())) == 1


def test_the_photographs_measured_last_are_found(normed, cache, tmp_path):
    """Also those that had been measured before others."""
    network, few = normed(), photographs(tmp_path / "few")
    many = photographs(tmp_path / "many", 20)
    for place in (few, many, few):
        found = measure_for(network, place, lambda _done, _total: None)
        for age, file in enumerate(sorted(cache.iterdir(), key=lambda f: f.stat().st_mtime_ns)):
            os.utime(file, ns=(age, age))
    assert normed().photo_statistics.sha256 == found.statistics.sha256
    assert found.statistics.source.startswith("16 photographs of few")


def test_both_networks_of_a_comparison_use_what_was_measured(normed, run, tmp_path):
    network, place = normed(), photographs(tmp_path / "photos")
    settings = Settings.of(photo_statistics=0.5)
    beside = (LaneSpec(network, settings=settings.change("temperature", 0.2)),)
    spec = SessionSpec(network, network.default_neurons(2), settings, seed=1, beside=beside)
    state = open_session(spec)
    state, _ = run(state, 2, {1: measured_in(state, place)})
    first, second = (lane.network for lane in state.lanes)
    assert first is second and first.photo_statistics.sha256
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical


def test_what_was_measured_for_another_network_is_refused(normed, network, run, tmp_path):
    """The session may have opened another network meanwhile."""
    other = normed()
    found = measure_for(other, photographs(tmp_path / "photos"), lambda _done, _total: None)
    state = open_session(SessionSpec(network, network.default_neurons(2), seed=1))
    _, infos = run(state, 1, {0: [("statistics", found)]})
    assert "not in this session" in infos[0].refused[0]


def test_other_weights_have_other_statistics(normed):
    network = normed()
    measured_on_noise(network)
    network.statistics_sha256 = network.photo_statistics.sha256
    weights = {name: 2 * tensor for name, tensor in network.module.state_dict().items()}
    twin = network.twin(weights, WeightsFile(Path("later.pt"), "later"))
    assert not twin.photo_statistics.sha256 and "statistics" not in twin.reference


def test_other_weights_are_looked_up_before_the_next_step(normed, cache):
    """A damaged file refuses them, and a recipe says that those in use have no file."""
    network = normed()
    weights = {name: 2 * tensor for name, tensor in network.module.state_dict().items()}
    settings = Settings.of(photo_statistics=0.5)
    state = open_session(SessionSpec(network, network.default_neurons(2), settings, seed=1))
    later = network.twin(weights, WeightsFile(Path("later.pt"), "later"))
    file = measured_on_noise(later)
    whole = file.read_bytes()
    file.write_bytes(whole[:-2] + b"\xff\xff")  # not a number
    state, info = advance(state, [Change("weights", later)])
    assert info.refused[0].startswith("The photo statistics in")
    assert state.lane.network is network and state.step == 1
    file.unlink()
    state, info = advance(state, [Change("weights", later)])
    assert not info.refused and later.reference["statistics"] == ""


def test_a_recipe_with_the_statistics_of_another_network_is_one_sentence(
    network, statistics, normed
):
    other = normed()
    other.statistics_sha256 = network.photo_statistics.sha256
    settings = Settings.of(photo_statistics=0.5)
    with pytest.raises(StudioError, match="are not those of lenet; use the picture"):
        open_session(SessionSpec(other, other.default_neurons(2), settings))


def test_sessions_go_on_as_before(open_one, run):
    state, _ = run(open_one(), 5)
    copy = snapshot(state)
    stored = from_tensors(*to_tensors(state))
    assert stored.lane.balance.age == 5
    straight, back, again = (run(one, 8)[0].lane for one in (state, copy, stored))
    assert torch.equal(straight.chains.x, back.chains.x)
    assert torch.equal(straight.chains.x, again.chains.x)
    assert torch.equal(straight.balance.gamma, again.balance.gamma)
    tensors, about = to_tensors(state)
    old = {name: t for name, t in tensors.items() if not name.endswith("balance.gamma")}
    assert from_tensors(old, about).lane.balance.age == 0


def test_without_statistics_the_user_is_told(cache, run):
    lenet = open_network("lenet")
    spec = SessionSpec(lenet, lenet.default_neurons(2), seed=1)
    plain, _ = run(open_session(spec), 3)
    assert without_statistics(plain.lane) == ""
    state, _ = run(open_session(spec), 3, {0: [("photo_statistics", 0.5)]})
    assert torch.equal(state.lane.chains.x, plain.lane.chains.x)
    assert without_statistics(state.lane).startswith(
        "Photo statistics have no effect, because there are none for the weights of lenet; measure"
    )


def test_neurons_that_see_a_part_of_the_image_are_not_compared(open_one):
    state = open_one(neurons=(Neuron.parse("conv2:3"),))
    assert balanced_of(state.lane, state.device, PLAIN) is None
    assert "see only a part of the image" in without_statistics(state.lane)
    state = open_one(neurons=(Neuron.parse("conv1:3@mean"),))
    assert "choose a later layer" in without_statistics(state.lane)
    state = open_one(neurons=(Neuron.parse("conv2:3@mean"),))
    assert without_statistics(state.lane) == ""
    assert balanced_of(state.lane, state.device, PLAIN) is not None


def test_a_damaged_file_refuses_the_change(network, cache, run):
    state = open_session(SessionSpec(network, network.default_neurons(2), seed=1))
    network._remembered.clear()
    (file,) = cache.iterdir()
    damaged = bytearray(file.read_bytes())
    damaged[-1] = damaged[-2] = 0xFF  # not a number
    file.write_bytes(damaged)
    state, infos = run(state, 1, {0: [("photo_statistics", 0.5)]})
    assert infos[0].refused[0].startswith("The photo statistics in")
    assert state.lane.settings.photo_statistics == 0


def test_images_are_compared_at_the_size_at_which_they_are_seen(cache, run):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [nn.Sequential(nn.Conv2d(c, 6, 3, padding=1), nn.ReLU()) for c in (3, 6, 6)]
        module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    network = Network("own", module, PixelSpec(3, 32, 32, (0.5,) * 3, (0.25,) * 3, rest=0.5))
    generator = torch.Generator().manual_seed(0)
    photos = torch.randint(0, 256, (32, 3, 32, 32), generator=generator, dtype=torch.uint8)
    keep(measure(network, photos, "noise"))
    settings = Settings.of(photo_statistics=0.3, schedule=8, resolution_start=18, coarse_share=0.5)
    state = open_session(SessionSpec(network, network.default_neurons(2), settings, seed=1))
    assert network.expected(18, "5").mean is not network.expected(32, "5").mean
    sides, ages = [], []
    for _ in range(8):
        sides.append(state.lane.chains.x.shape[-1])
        ages.append(state.lane.balance.age)
        state, _ = run(state, 1)
    assert sides == [18] * 4 + [32] * 4
    assert ages == [0, 1, 2, 3] * 2  # gamma is measured anew at the other size
