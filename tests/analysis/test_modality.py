"""Modes of a neuron: grouping against what can be worked out, chains against a known neuron."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ldam_studio.analysis.modality import Plan, examine
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.explore.modes.grouping import group, similarity
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.settings import Settings


class Hills(nn.Module):
    """Unit 0 has one hill, unit 1 has two far apart; each a Gaussian bump in image space."""

    def __init__(self) -> None:
        super().__init__()
        first, second = torch.zeros(1, 6, 6), torch.zeros(1, 6, 6)
        first[:, :3], second[:, 3:] = 1.0, 1.0
        self.tops = nn.Parameter(torch.stack([first, second]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        distances = (x[:, None] - self.tops).square().flatten(2).sum(2)
        one = -distances[:, 0]
        two = torch.logsumexp(-4 * distances, dim=1)
        return torch.stack([one, two], dim=1)


def network() -> Network:
    return Network("hills", Hills(), PixelSpec(1, 6, 6, mean=(0.0,), std=(1.0,), rest=0.0))


def test_one_hill_is_one_mode_and_two_hills_are_two():
    hills = network()
    settings = Settings.of(
        mode="exact", step_size=0.05, temperature=0.001, l2=0.0, start_spread=0.5
    )
    plan = Plan(chains=16, cooling=60, averaged=40, similarity=0.8)
    one, two = examine(hills, hills.default_neurons(2), settings, plan, 3, choose("cpu"))
    assert len(one.shares) == 1
    assert one.effective == pytest.approx(1.0)
    assert one.pairwise > 0.99
    assert len(two.shares) == 2
    assert 1.2 < two.effective <= 2.0
    assert sum(two.shares) == pytest.approx(1.0)
    assert two.shares[0] >= two.shares[1]
    assert two.pairwise < 0.7
    tops = {int(picture[0, :3].mean() > picture[0, 3:].mean()) for picture in two.pictures}
    assert tops == {0, 1}


def test_however_much_samples_are_thinned_elsewhere_each_step_is_averaged():
    hills = network()
    settings = Settings.of(mode="exact", step_size=0.05, temperature=0.01, l2=0.0)
    plan = Plan(chains=4, cooling=10, averaged=20)
    found = [
        examine(hills, hills.default_neurons(2), settings.change("thin", thin), plan, 3, Device())
        for thin in (1, 50)
    ]
    for each, thinned in zip(*found, strict=True):
        assert torch.equal(each.pictures, thinned.pictures)


@pytest.mark.cuda
def test_modes_are_found_on_cuda():
    hills = network()
    plan = Plan(chains=4, cooling=10, averaged=20)
    found = examine(hills, hills.default_neurons(2), Settings.of(), plan, 3, choose("cuda"))
    assert not any(modality.pictures.is_cuda for modality in found)


def test_same_seed_same_modes():
    hills = network()
    settings = Settings.of(mode="normalised", l2=0.1)
    plan = Plan(chains=4, cooling=10, averaged=5)
    first, again, other = (
        examine(hills, hills.default_neurons(1), settings, plan, seed, choose("cpu"))[0]
        for seed in (5, 5, 6)
    )
    assert torch.equal(first.pictures, again.pictures)
    assert other.pairwise != first.pairwise


def test_grouping_joins_what_is_alike_on_average():
    cosines = torch.tensor(
        [
            [1.0, 0.95, 0.1, 0.2],
            [0.95, 1.0, 0.0, 0.1],
            [0.1, 0.0, 1.0, 0.7],
            [0.2, 0.1, 0.7, 1.0],
        ]
    )
    assert group(cosines, 0.9) == [[0, 1], [2], [3]]
    assert group(cosines, 0.69) == [[0, 1], [2, 3]]
    assert group(cosines, 0.1) == [[0, 1, 2, 3]]
    assert group(cosines, 1.1) == [[0], [1], [2], [3]]


@given(
    numbers=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    seed=st.integers(0, 100),
)
def test_well_separated_groups_are_found_whatever_their_order(numbers, seed):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.eye(4)
    noise = 0.01 * torch.randn(len(numbers), 4, generator=generator)
    items = centres[torch.tensor(numbers)] + noise
    found = group(similarity(items[:, :, None, None]), 0.8)
    assert sorted(i for g in found for i in g) == list(range(len(numbers)))
    for g in found:
        assert len({numbers[i] for i in g}) == 1
    assert len(found) == len(set(numbers))


def test_shares_count_as_their_entropy():
    hills = network()
    plan = Plan(chains=1, cooling=4, averaged=2)
    (alone,) = examine(hills, hills.default_neurons(1), Settings.of(), plan, 0, choose("cpu"))
    assert alone.shares == (1.0,)
    assert alone.effective == pytest.approx(math.exp(0.0))
    assert alone.pairwise == 1.0
    assert 0 < alone.spread <= 1
