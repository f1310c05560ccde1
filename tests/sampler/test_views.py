"""Random views: what the network sees, the gradient that comes back, and what is drawn."""

import math

import pytest
import torch

from kernel_steps import density_of, linear, states
from ldam_studio.sampler.interpolation import _by_grid, _by_index
from ldam_studio.sampler.objective import mean_of, value_and_gradient
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View, _places, draw_views, seen_in, sources_of_views
from thinned import one_in

SHAPE = (2, 3, 7, 9)
FIELDS = [None, (1, 2, 6, 5)]
REST = 0.4
MIXED = View((1, -2), 1.2, 0.3, True)
ALL = {"jitter": 3, "view_zoom": 1.5, "view_rotation": 20.0, "view_flip": True}


def images(shape=SHAPE, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shown(view, x, fields=(None, None), box=None, arithmetic=1):
    return seen_in(view, fields, x, REST, box, arithmetic)(x)


def by_hand(view, x, fields):
    """Return the view, pixel by pixel: where it comes from, between which four pixels."""
    height, width = x.shape[2:]
    seen = torch.full_like(x, REST)
    for chain, field in enumerate(fields):
        top, left, bottom, right = field or (0, 0, height, width)
        middle = complex((left + right - 1) / 2, (top + bottom - 1) / 2)
        for row in range(height):
            for column in range(width):
                at = complex(column - view.shift[1], row - view.shift[0]) - middle
                # With y downwards, a positive angle turns clockwise.
                at *= complex(math.cos(view.angle), -math.sin(view.angle)) / view.zoom
                at = (-at.conjugate() if view.mirrored else at) + middle
                for y in (math.floor(at.imag), math.floor(at.imag) + 1):
                    for x0 in (math.floor(at.real), math.floor(at.real) + 1):
                        if 0 <= y < height and 0 <= x0 < width:
                            share = (1 - abs(at.imag - y)) * (1 - abs(at.real - x0))
                            seen[chain, :, row, column] += share * (x[chain, :, y, x0] - REST)
    return seen


@pytest.mark.parametrize(
    "view", [MIXED, View(zoom=0.7), View(zoom=1.6), View(angle=-0.5), View(mirrored=True)]
)
@pytest.mark.parametrize("fields", [(None, None), FIELDS], ids=["image", "fields"])
@pytest.mark.parametrize("arithmetic", [1, 2])
def test_a_view_shows_what_its_description_says(view, fields, arithmetic):
    x = images()
    whole = shown(view, x, fields, arithmetic=arithmetic)
    torch.testing.assert_close(whole, by_hand(view, x, fields), atol=1e-5, rtol=0)
    part = shown(view, x, fields, (2, 1, 6, 7), arithmetic)
    torch.testing.assert_close(part, whole[:, :, 2:6, 1:7])


def test_turning_and_mirroring_by_whole_pixels_moves_them_as_torch_does():
    x = images((1, 2, 6, 6))
    near = {"atol": 1e-5, "rtol": 0}
    torch.testing.assert_close(shown(View(mirrored=True), x), x.flip(-1), **near)
    quarter = shown(View(angle=math.pi / 2), x)
    torch.testing.assert_close(quarter, x.rot90(-1, (2, 3)), **near)
    both = shown(View((2, -1), mirrored=True), x)
    torch.testing.assert_close(both, shown(View((2, -1)), x.flip(-1)), **near)
    assert torch.equal(shown(View(), x), x)


def test_what_comes_in_from_outside_has_the_rest_colour():
    x = torch.ones(SHAPE, dtype=torch.float64)
    small = shown(View(zoom=0.5), x)
    assert torch.all(small[..., 0] == REST)
    assert torch.all(small[:, :, 3, 4] == 1)
    rest = torch.full(SHAPE, REST, dtype=torch.float64)
    assert torch.equal(shown(MIXED, rest, FIELDS), rest)


@pytest.mark.parametrize("view", [MIXED, View((2, -1))], ids=["warp", "shift"])
@pytest.mark.parametrize("box", [None, (2, 1, 6, 7)], ids=["image", "crop"])
def test_the_gradient_is_that_of_finite_differences(view, box):
    x = images().requires_grad_()
    for arithmetic in (1, 2):
        show = seen_in(view, FIELDS, x, REST, box, arithmetic)
        assert torch.autograd.gradcheck(lambda x, show=show: show(x).square().sum((1, 2, 3)), x)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per chain"])
def test_accelerators_see_and_learn_the_same_as_the_processor(shared):
    centres = torch.tensor([(3.0, 4.0), (2.5, 1.0)][: 1 if shared else 2])
    places = _places(MIXED, centres, torch.arange(7)[:, None], torch.arange(9))
    x = images().float().requires_grad_()
    found = []
    for sample in (_by_grid, _by_index):
        seen = sample(x, places)
        found.append((seen, *torch.autograd.grad(seen.pow(3).sum(), x)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_views_stay_within_their_settings_and_fill_them():
    settings, generators = Settings.of(**ALL), Generators(3)
    drawn = [draw_views(settings, (20, 20), generators)[0] for _ in range(2000)]
    zooms = torch.tensor([math.log(view.zoom) for view in drawn]) / math.log(1.5)
    angles = torch.tensor([math.degrees(view.angle) for view in drawn]) / 20
    for found in (zooms, angles):  # uniform in [-1, 1]
        assert found.abs().max() <= 1 + 1e-6
        assert abs(float(found.mean())) < 4 * math.sqrt(1 / 3 / 2000)
        assert float(found.var()) == pytest.approx(1 / 3, rel=0.08)
    assert sum(view.mirrored for view in drawn) == pytest.approx(1000, abs=4 * math.sqrt(500))
    assert {view.shift for view in drawn} == {(y, x) for y in range(-3, 4) for x in range(-3, 4)}


def test_no_setting_of_views_moves_the_numbers_of_another():
    def drawn(**settings):
        generators = Generators(5)
        return [draw_views(Settings.of(**settings), (9, 9), generators) for _ in range(20)]

    def seen(views, *names):
        return [tuple(getattr(view, name) for name in names) for view in views]

    whole = drawn(**ALL, views=3)
    for name in ALL:
        rest = {key: value for key, value in ALL.items() if key != name}
        others = [n for n in ("shift", "zoom", "angle", "mirrored") if n not in BEARS_ON[name]]
        for one, other in zip(whole, drawn(**rest, views=3), strict=True):
            assert seen(one, *others) == seen(other, *others)
    # Nor does the number of views: the first is always the same.
    assert [views[0] for views in whole] == [view for (view,) in drawn(**ALL)]
    assert len({view for views in whole for view in views}) == 60


BEARS_ON = {
    "jitter": ("shift",),
    "view_zoom": ("zoom",),
    "view_rotation": ("angle",),
    "view_flip": ("mirrored",),
}


def test_jitter_alone_draws_the_numbers_of_the_first_release():
    generators, by_hand = Generators(8), Generators(8)["jitter"]
    for _ in range(10):
        (view,) = draw_views(Settings.of(jitter=4), (28, 28), generators)
        assert view == View(tuple(torch.randint(-4, 5, (2,), generator=by_hand).tolist()))
    assert list(generators.state()) == ["jitter"] == list(sources_of_views(Settings.of(jitter=4)))


def test_without_views_nothing_is_drawn_and_the_image_is_seen_once():
    generators = Generators(8)
    assert draw_views(Settings.of(views=5), (28, 28), generators) == (View(),)
    assert draw_views(Settings.of(jitter=5), (1, 28), generators) == (View(),)
    assert not generators.state()
    assert not sources_of_views(Settings.of(views=5))


def test_the_mean_over_views_is_that_of_values_and_gradients():
    x = images()
    views = [View(), MIXED, View((1, 1))]

    def activation(x):
        return x.pow(3).sum((1, 2, 3))

    def of(view):
        show = seen_in(view, FIELDS, x, REST)
        return value_and_gradient(lambda x: activation(show(x)))

    value, gradient = mean_of([of(view) for view in views])(x)
    leaf = x.clone().requires_grad_()
    expected = torch.stack([activation(shown(view, leaf, FIELDS)) for view in views]).mean(0)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.sum(), leaf)[0])
    single = of(MIXED)
    assert mean_of([single]) is single


@pytest.mark.parametrize("views", one_in(2, [1, 4]))
def test_a_linear_neuron_under_flips_samples_its_expected_density(views):
    """The mean is that of (v + mirrored v) / 2; along the rest, only the drawn gradients vary.

    Without temperature a chain is x' = x + (eps/2)(g - 2 lam (x - r)), where g is the mean of
    `views` vectors that are v or its mirror image.
    """
    v, l2, step_size = images((1, 1, 4, 4), 3).float(), 0.5, 0.4
    settings = Settings.of(
        mode="exact", temperature=0.0, l2=l2, step_size=step_size, view_flip=True, views=views
    )
    generators, x = Generators(2), torch.full((1, 1, 4, 4), REST)

    def activation(x):
        drawn = draw_views(settings, (4, 4), generators)
        neuron = linear(v)
        shows = [seen_in(view, [None], x, 0.0) for view in drawn]
        return mean_of([value_and_gradient(lambda x, s=s: neuron(s(x))[0]) for s in shows])(x)

    going = states(x, settings, density_of(activation, rest=REST))
    for _ in range(50):
        next(going)
    steps = 3000
    samples = torch.cat([next(going)[0].x for _ in range(steps)])
    symmetric, apart = (v + v.flip(-1)) / 2, (v - v.flip(-1)) / 2
    kept = 1 - step_size * l2
    variance = (step_size / 2) ** 2 * apart.square().sum() / views / (1 - kept**2)
    along = ((samples - REST) * apart / apart.norm()).sum((1, 2, 3))
    error = math.sqrt(float(variance) * (1 + kept) / (1 - kept) / steps)
    assert abs(float(along.mean())) < 4 * error
    assert float(along.var()) == pytest.approx(float(variance), rel=0.15)
    torch.testing.assert_close(
        (samples + samples.flip(-1)).mean(0, keepdim=True) / 2,
        REST + symmetric / (2 * l2),
        atol=1e-4,
        rtol=0,
    )
