"""Modes by their likeness: how many there are, and that they keep their numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.explore.intervals import share_of
from ldam_studio.explore.modes.features import LEAST, compared_layer, edges, features
from ldam_studio.explore.modes.grouping import group_directions, matched
from ldam_studio.explore.modes.regrouping import Task, grouped
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.training.data import load_digits_sheet


def images(count: int, seed: int, size=(3, 40, 40)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, size[0], 6, 6, generator=generator)
    return torch.nn.functional.interpolate(coarse, size[1:], mode="bilinear")


def task(directions, numbers=None, former=(), fresh=1):
    numbers = tuple(range(len(directions))) if numbers is None else numbers
    return Task("fc:0", "pixels", numbers, np.asarray(directions), dict(former), fresh)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_modes_are_found_as_there_are_images(count, seed):
    """Noisy copies of known images, in unequal numbers."""
    shown = torch.arange(30) % (count + 1) % count
    noise = torch.randn(30, 3, 40, 40, generator=torch.Generator().manual_seed(seed))
    found = grouped(task(edges(images(count, seed)[shown] + 0.15 * noise)))
    assert len(set(found.modes.values())) == count
    for mode in set(found.modes.values()):
        assert len({int(shown[n]) for n in found.modes if found.modes[n] == mode}) == 1


@pytest.fixture(scope="module")
def digits():
    sheet = load_digits_sheet()
    return sheet.images.float().reshape(-1, 1, 28, 28) / 255, sheet.labels


@pytest.mark.parametrize("part", [slice(k, None, 5) for k in (0, 2, 4)])
def test_the_threshold_lies_between_what_is_alike_and_what_is_not(digits, part):
    """Digits that are moved by a pixel are the same; those of other classes are others."""
    shown, labels = digits[0][part], digits[1][part]
    here = edges(shown)
    for moved in ((0, 1), (1, 0)):
        alike = (here * edges(shown.roll(moved, (2, 3)))).sum(1)
        assert alike.quantile(0.05) > LEAST["pixels"] + 0.1
    cosines = here @ here.T
    others = cosines[labels[:, None] != labels[None]][::20]
    assert others.quantile(0.95) < LEAST["pixels"] - 0.1


@pytest.mark.parametrize("digit", [4, 7])
def test_two_styles_of_a_digit_are_two_modes(digits, digit):
    """Copies of the two digits of a class that are least alike, moved and noisy."""
    shown = digits[0][digits[1] == digit][:100]
    cosines = edges(shown) @ edges(shown).T
    one, other = divmod(int(cosines.argmin()), len(shown))
    generator = torch.Generator().manual_seed(digit)
    copies = [
        shown[style].roll((down, across), (1, 2))
        + 0.2 * torch.randn(1, 28, 28, generator=generator)
        for style in (one, other)
        for down in (0, 1)
        for across in (0, 1)
    ]
    assert group_directions(edges(torch.stack(copies)).numpy(), LEAST["pixels"]) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]


def test_identical_images_are_one_mode_and_a_single_one_is_one():
    same = edges(images(1, 0)).expand(50, -1)
    assert group_directions(same.numpy(), LEAST["pixels"]) == [list(range(50))]
    assert group_directions(same[:1].numpy(), LEAST["pixels"]) == [[0]]
    assert group_directions(same[:0].numpy(), LEAST["pixels"]) == []


def test_what_has_no_edges_or_is_no_number_has_no_direction():
    pictures = torch.full((4, 1, 20, 20), 0.3)
    pictures[1, 0, 3, 3] = torch.nan
    pictures[2, 0, 3, 3] = torch.inf
    pictures[3, 0, :10] = 1
    found = edges(pictures)
    assert found.isfinite().all()
    assert found.any(1).tolist() == [False, False, False, True]
    assert group_directions(found.numpy(), 0.5) == [[0, 1, 2], [3]]


def test_only_the_receptive_field_counts():
    one, other = images(2, 3)
    mixed = other.clone()
    mixed[:, 4:20, 8:24] = one[:, 4:20, 8:24]
    field = (4, 8, 20, 24)
    cosines = edges(torch.stack([one, mixed]), field)
    assert cosines[0] @ cosines[1] == pytest.approx(1.0, abs=1e-5)
    assert edges(one[None]).shape[1] == 2 * 3 * 12 * 11
    assert edges(torch.rand(1, 1, 3, 200)).isfinite().all()
    assert edges(torch.rand(1, 1, 1, 1)).shape == (1, 0)


def test_features_do_not_depend_on_the_place_and_come_from_before_the_classes():
    vgg, lenet = open_network("vgg"), open_network("lenet")
    layer = compared_layer(vgg)
    assert (layer, compared_layer(lenet)) == ("flatten", "relu4")
    shown = images(2, 1, (3, 32, 32))
    found = features(vgg, layer, torch.cat([shown, shown[:1].roll(2, 3)]))
    assert found.norm(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert found[0] @ found[2] > found[0] @ found[1]
    assert not features(vgg, layer, torch.full((1, 3, 32, 32), torch.nan)).any()


@given(seed=st.integers(0, 50), arrivals=st.lists(st.integers(1, 8), min_size=1, max_size=6))
def test_modes_keep_their_numbers_as_more_averages_arrive(seed, arrivals):
    generator = np.random.default_rng(seed)
    centres = np.eye(6, 40, dtype=np.float32)
    shown = np.zeros((0, 40), np.float32)
    truth: list[int] = []
    former: dict[int, int] = {}
    fresh = 1
    for count in arrivals:
        new = generator.integers(0, 6, count).tolist()
        noise = generator.normal(0, 0.03, (count, 40)).astype(np.float32)
        rows = centres[new] + noise
        shown = np.concatenate([shown, rows / np.linalg.norm(rows, axis=1, keepdims=True)])
        truth += new
        found = grouped(task(shown, former=former, fresh=fresh))
        assert all(found.modes[item] == mode for item, mode in former.items())
        pairs = {(truth[item], mode) for item, mode in found.modes.items()}
        assert len(pairs) == len(set(truth)) == len(set(found.modes.values()))
        former, fresh = dict(found.modes), found.fresh


def test_a_mode_that_splits_or_joins_keeps_the_number_of_most():
    assert matched([[0, 1, 2], [3], [4]], {0: 1, 1: 1, 2: 1, 3: 1}, 2) == ([1, 2, 3], 4)
    assert matched([[0, 1, 2, 3]], {0: 1, 1: 2, 2: 2, 3: 2}, 3) == ([2], 3)
    assert matched([], {}, 5) == ([], 5)
    # A number is never given to another image.
    assert matched([[9]], {0: 1}, 2) == ([2], 3)


def test_the_share_of_chains_has_wilsons_interval():
    share = share_of(31, 100)
    assert (share.value, share.low, share.high) == pytest.approx((0.31, 0.2278, 0.4063), abs=1e-3)
    assert share_of(1, 1).low < 0.3 and share_of(1, 1).high == 1.0
