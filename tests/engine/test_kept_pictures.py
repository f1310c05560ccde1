"""Pictures that a session keeps: chains begin at them, and L2 pulls towards them."""

from pathlib import Path

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.kept_pictures import (
    MOST_PICTURES,
    KeptPicture,
    PictureReference,
    StartFrom,
)
from ldam_studio.engine.picture_values import from_inside, inside
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import of_levels
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


@pytest.fixture
def picture() -> KeptPicture:
    levels = torch.arange(28 * 28).reshape(1, 28, 28) % 256
    return KeptPicture(of_levels(levels.byte(), (0.0, 1.0)), "slope.png", "photograph")


def made(state, *changes, steps=0):
    state, info = advance(state, changes, 0)
    assert not info.refused
    for _ in range(steps):
        state, _ = advance(state)
    return state


def test_all_chains_begin_at_a_picture_anew(open_one, run, picture):
    state, _ = run(open_one(chains=3, jitter=2), 12)
    state = made(state, Change("picture", picture), Change("start_from", StartFrom(0)))
    assert (state.lane.chains.x == picture.pixels).all()
    assert not state.lane.average.count.any() and state.lane.progress.steps == 0
    assert state.lane.clock.steps == 0
    # Their noise is that of a restart: it depends on the seed alone.
    other = made(
        open_one(chains=3, jitter=2), Change("picture", picture), Change("start_from", StartFrom(0))
    )
    one, two = made(state, steps=4), made(other, steps=4)
    assert torch.equal(one.lane.chains.x, two.lane.chains.x)


@pytest.mark.parametrize("kernel", ["langevin", "underdamped", "mala", "bidmach"])
def test_some_chains_begin_at_a_picture_and_others_go_on(open_one, run, picture, kernel):
    state, _ = run(open_one(chains=3, kernel=kernel, burn_in=5), 8)
    assert state.lane.progress.done.all()
    before = state.lane
    state = made(state, Change("picture", picture), Change("start_from", StartFrom(0, (0, 2))))
    after = state.lane
    assert (after.chains.x[[0, 2]] == picture.pixels).all()
    assert torch.equal(after.chains.x[1], before.chains.x[1])
    assert after.average.count.tolist() == [0, before.average.count[1], 0]
    assert after.progress.done.tolist() == [False, True, False]
    for name, tensor in after.chains.memory.items():
        assert not tensor[[0, 2]].any()
        assert torch.equal(tensor[1], before.chains.memory[name][1])
    state = made(state, steps=6)
    assert state.lane.progress.done.all() and state.lane.average.count.tolist() == [1, 9, 1]


def test_noise_of_a_start_has_its_own_generator(open_one, run, picture):
    changes = [Change("picture", picture), Change("start_from", StartFrom(0, (0, 1), 0.5))]
    state = made(open_one(chains=2), *changes)
    noise = (state.lane.chains.x - picture.pixels) / 0.5
    assert noise.std().item() == pytest.approx(1, abs=0.15)
    assert not torch.equal(noise[0], noise[1])
    # It shifts no other random number.
    plain = made(open_one(chains=2), *changes[:1], Change("start_from", StartFrom(0, (0, 1))))
    drawn = [s.generators.normal("noise", (2, 3)) for s in (state, plain)]
    assert torch.equal(*drawn)


def test_l2_pulls_towards_the_kept_picture(open_one, picture):
    """A step of size eps moves x by -eps lam (x - r), whatever else the chains feel."""
    lam, step = 0.5, 0.1
    changes = [Change("picture", picture), Change("start_from", StartFrom(0, None, 0.1))]
    state = made(
        open_one(chains=2, mode="exact", l2=lam, step_size=step, objective="activation"), *changes
    )
    plain = made(snapshot(state), steps=1)
    pulled = made(state, Change("rest", 0), steps=1)
    moved = pulled.lane.chains.x - plain.lane.chains.x
    torch.testing.assert_close(moved, step * lam * picture.pixels.expand(2, -1, -1, -1))
    back = made(snapshot(pulled), Change("rest"), steps=1)
    there = made(pulled, steps=1)
    moved = there.lane.chains.x - back.lane.chains.x
    torch.testing.assert_close(moved, step * lam * picture.pixels.expand(2, -1, -1, -1))


def test_a_session_with_pictures_is_stored_and_goes_on(open_one, run, picture):
    state = made(
        open_one(chains=2),
        Change("picture", picture),
        Change("start_from", StartFrom(0, (1,))),
        Change("rest", 0),
        steps=3,
    )
    again = from_tensors(*to_tensors(state))
    assert (again.outline.pictures, again.rest) == (state.outline.pictures, 0)
    assert [kept.sha256 for kept in again.pictures] == [picture.sha256]
    assert torch.equal(made(again, steps=3).lane.chains.x, made(state, steps=3).lane.chains.x)


def test_a_damaged_picture_in_a_session_file_is_one_sentence(open_one, picture):
    state = made(open_one(chains=2), Change("picture", picture), Change("rest", 0))
    tensors, about = to_tensors(state)
    for wrong in (
        (tensors, about | {"rest": 5}),
        (tensors, about | {"pictures": "x"}),
        ({n: t for n, t in tensors.items() if n != "pictures.0"}, about),
        (tensors | {"pictures.0": torch.full((1, 28, 28), torch.nan)}, about),
        (tensors | {"pictures.0": torch.zeros(3, 8, 8)}, about),
        (tensors | {"pictures.0": 1 - tensors["pictures.0"]}, about),
    ):
        with pytest.raises(StudioError):
            from_tensors(*wrong)


def test_a_snapshot_keeps_its_pictures(open_one, picture):
    state = open_one(chains=2)
    before = snapshot(state)
    state = made(state, Change("picture", picture))
    assert before.pictures == () and len(state.pictures) == 1


def test_a_picture_is_kept_once_and_pictures_are_limited(open_one, picture):
    state = made(open_one(chains=2), Change("picture", picture), Change("picture", picture))
    assert len(state.pictures) == 1
    more = [KeptPicture(torch.full((1, 28, 28), n / 99), str(n), "") for n in range(MOST_PICTURES)]
    state, info = advance(state, [Change("picture", each) for each in more], 0)
    assert len(state.pictures) == MOST_PICTURES
    assert info.refused[0].startswith(f"A session keeps at most {MOST_PICTURES} pictures")


def test_another_network_with_other_images_drops_the_rest_picture(open_one, picture, vgg):
    state = made(open_one(chains=2), Change("picture", picture), Change("rest", 0))
    expected = state.outline.after(Change("network", vgg))
    state = made(state, Change("network", vgg), steps=1)
    assert state.rest is None and state.outline == expected
    _, info = advance(state, [Change("start_from", StartFrom(0))], 0)
    assert info.refused == (
        "The picture slope.png has 1 x 28 x 28 values, but vgg takes images of 3 x 32 x "
        "32; bring it again for this network.",
    )


@pytest.fixture(scope="module")
def vgg():
    return open_network("vgg")


def test_the_rest_picture_follows_the_size_of_a_schedule(open_one, picture, vgg):
    settings = Settings.of(schedule=20, resolution=32, resolution_start=16)
    state = open_session(SessionSpec(vgg, vgg.default_neurons(2), settings))
    kept = KeptPicture(torch.rand(3, 32, 32), "noise", "photograph")
    state = made(state, Change("picture", kept), Change("start_from", StartFrom(0)))
    state = made(state, Change("rest", 0), steps=2)
    assert state.lane.chains.x.shape[2:] == (16, 16)


def test_pictures_inside_recipes(picture):
    text = inside(picture)
    assert len(text) < 500  # levels: differences of neighbours compress well
    assert from_inside(picture.reference, text).sha256 == picture.sha256
    floats = KeptPicture(torch.rand(1, 4, 4) / 3, "floats", "average", file=Path("a.png"))
    assert from_inside(floats.reference, inside(floats)).sha256 == floats.sha256


@pytest.mark.parametrize("text", ["", "levels:", "levels:AAAA", "floats:!", "levels:" + "A" * 999])
def test_what_is_inside_may_be_damaged(picture, text):
    with pytest.raises(StudioError, match="inside the recipe is damaged"):
        from_inside(picture.reference, text)


def test_what_is_inside_may_be_another_picture(picture):
    other = KeptPicture(torch.zeros(1, 28, 28), "other", "")
    with pytest.raises(StudioError, match="is not the one that was used"):
        from_inside(picture.reference, inside(other))


def test_a_title_from_a_file_is_plain_and_short():
    kept = KeptPicture(torch.zeros(1, 2, 2), "a\x1b[2J\n" + "b" * 5000, "photograph")
    assert kept.title.isprintable() and len(kept.title) <= 201


def test_a_reference_has_bounds():
    with pytest.raises(StudioError, match="makes no sense"):
        PictureReference("", "", "", (16384, 16384, 16384))
