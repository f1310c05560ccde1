"""Frames of animations have one size and a steady display, whatever they show."""

from __future__ import annotations

import numpy as np
import pytest

from ldam_studio.engine.picture import to_bytes
from ldam_studio.export.animation.composing import BAND, GAP, GROUND, Composer, Pane
from ldam_studio.export.animation.panes import chain_columns, columns_of
from ldam_studio.networks.pixels import PixelSpec

GREY = PixelSpec(1, 8, 8, mean=(0.5,), std=(0.5,), rest=0.5)


def images(number: int, side: int = 8, chains: int = 1, spread: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(number).normal(0, spread, (chains, 1, side, side))
    return (0.5 + noise).astype(np.float32)


def test_pixels_are_enlarged_by_a_whole_number():
    composer = Composer([[[(8, 8), (8, 8)]]], 70)
    raw, average = images(0), images(1)
    frame = composer([[[Pane(raw, GREY, "image"), Pane(average, GREY, "image")]]])
    assert composer.size == (2 * 64 + GAP, 64)
    assert frame.shape == (64, 2 * 64 + GAP, 3)
    assert (frame[::8, :64:8] == to_bytes(raw[0], GREY, "image")).all()
    assert (frame[::8, 64 + GAP :: 8] == to_bytes(average[0], GREY, "image")).all()
    assert (frame[:, 64 : 64 + GAP] == GROUND).all()


def test_images_that_grow_keep_their_place():
    composer = Composer([[[(8, 8)]]], 70)
    for side in (2, 3, 4, 8):
        flat = np.full((1, 1, side, side), 1.0, np.float32)
        assert (composer([[[Pane(flat, GREY, "image")]]]) == 255).all()


def test_chains_and_networks_that_come_later_have_their_place():
    composer = Composer([[[(17, 17)] * 2]], 40)
    few = composer([[[Pane(images(0, chains=1), GREY, "image")]]])
    many = composer([[[Pane(images(n, chains=4), GREY, "image") for n in (0, 1)]]])
    assert few.shape == many.shape == (34, 2 * 34 + GAP, 3)
    assert (few[:, 34:] == GROUND).all()


def test_large_images_are_reduced():
    composer = Composer([[[(80, 40)]], [[(8, 8)]]], 32, ("a", "b"))
    wide = np.full((1, 1, 40, 80), 0.25, np.float32)
    frame = composer([[[Pane(wide, GREY, "image")]], [[Pane(images(0), GREY, "image")]]])
    assert frame.shape[0] <= 32
    assert (frame[BAND:, :16] == 64).all()


def test_texts_stand_above_and_long_ones_are_cut():
    composer = Composer([[[(8, 8)]], [[(8, 8)]]], 200, ("a long title " * 20, "b"))
    pane = [[Pane(images(0), GREY, "image")]]
    frame = composer([pane, pane], ["step 5", "step 1,000,000"])
    assert (frame[0, :, 0] < 32).all()  # the band
    assert frame[:BAND].max() > 150  # text
    assert (frame[..., 0] == frame[..., 1]).all()  # grey, so that a GIF is exact


@pytest.mark.parametrize("text", ["a\nb", "\ud800", "a\0"])
def test_texts_of_strangers_are_one_line(text):
    composer = Composer([[[(200, 8)]]], 200, (text,))
    frame = composer([[[Pane(images(0), GREY, "image")]]], [text])
    assert frame[:BAND].max() > 150


def test_the_signed_scale_follows_slowly():
    composer = Composer([[[(8, 8)]]], 8)
    scales = []
    for number in range(60):
        spread = 0.1 if number < 20 else 1.0
        composer([[[Pane(images(number, spread=spread), GREY, "signed", None, "raw")]]])
        scales.append(composer.scales[0, "raw"])
    steps = np.abs(np.diff(np.log(scales)))
    assert steps.max() < 0.3  # no jump
    assert steps[:18].max() < 0.06  # and no flicker, though each image has another maximum
    assert scales[-1] > 5 * scales[0]  # but it follows
    fixed = composer([[[Pane(images(0), GREY, "signed", 0.5, "raw")]]])
    assert (fixed == to_bytes(images(0)[0], GREY, "signed", 0.5)).all()


def test_what_has_no_sample_yet_does_not_set_the_scale():
    composer = Composer([[[(8, 8)]]], 8)
    empty = np.full((1, 1, 8, 8), 0.5, np.float32)
    frame = composer([[[Pane(empty, GREY, "signed", None, "average")]]])
    assert composer.scales == {}
    assert len(np.unique(frame)) == 1


@pytest.mark.parametrize("height", [110, 333, 720])
def test_it_is_never_higher_than_asked_for(height):
    sizes = [[[(28, 28), (28, 28)], [(28, 28), (28, 28)]], [[(224, 224)]]]
    assert Composer(sizes, height, ("a", "b")).size[1] <= height


@pytest.mark.parametrize(
    ("count", "image", "columns"),
    [
        (1, (8, 8), 1),
        (2, (8, 8), 2),
        (10, (8, 8), 5),
        (20, (8, 8), 5),
        (7, (8, 8), 4),
        (3, (9, 1), 1),
    ],
)
def test_grids_are_as_wide_as_screens(count, image, columns):
    assert columns_of(count, image) == columns
    assert chain_columns(["fc3:4"] * count, image) == columns


def test_chains_that_form_a_table_have_a_column_for_each_neuron():
    assert chain_columns(["a", "b", "c"] * 7, (8, 8)) == 3
    assert chain_columns(["a", "a", "b"], (8, 8)) == columns_of(3, (8, 8))
