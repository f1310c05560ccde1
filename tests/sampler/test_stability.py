"""The largest stable step: chains at the limit +- 2 % grow or not, and no chequerboard grows."""

import itertools
import math

import pytest
import torch

from kernel_steps import run
from ldam_studio.errors import StudioError
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.stability import (
    PULLS,
    check_stable,
    is_stable,
    largest_stable,
    limited,
)
from thinned import one_in

SHAPE = (3, 12, 12)
ROUNDING = 0.1


def nothing(x):
    return torch.zeros(len(x)), torch.zeros_like(x)


def chequerboard(shape=SHAPE, size=1e-5):
    """Return a chequerboard so faint that total variation is quadratic in it."""
    _, height, width = shape
    signs = (-1.0) ** (torch.arange(height)[:, None] + torch.arange(width))
    return (size * signs).expand(1, *shape).clone()


def growth(settings, x, steps=150):
    """Return by how much the image grows over so many steps at the temperature 0."""
    return float(run(x, steps, settings, nothing)[0].x.norm() / x.norm())


KINDS = [{}, {"kernel": "underdamped", "friction": 1e-3}, {"kernel": "bidmach"}]
WAYS = [{}, {"spectrum": 0.5, "spectrum_floor": 3.0}, {"spectrum": 1.0, "colour_correlation": 0.8}]


@pytest.mark.parametrize(("kind", "way"), [*itertools.product(KINDS, WAYS)])
@pytest.mark.parametrize("name", one_in(3, PULLS))
def test_a_chain_at_the_limit_grows_or_does_not(kind, way, name):
    settings = Settings.of(temperature=0.0, l2=0.0, mode="exact").with_values(kind | way)
    settings = settings.with_values({name: 0.2 if name == "smoothness" else 10.0})
    limit = largest_stable(settings, "step_size", SHAPE)
    x = 1e-5 * torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(0))
    if not way.get("spectrum"):
        x = x + chequerboard()
    # The periodic Laplacian is 2 % above that of so small an image, which has borders.
    below, above = (settings.change("step_size", limit * share) for share in (0.98, 1.04))
    assert growth(below, x) < 20
    assert not growth(above, x) < 20  # perhaps it is infinite


def test_the_limits_are_those_of_the_closed_forms():
    l2 = Settings.of(l2=0.5)
    assert largest_stable(l2, "step_size", SHAPE) == pytest.approx(2 / 0.5)
    assert largest_stable(l2.change("step_size", 0.1), "l2", SHAPE) == pytest.approx(20)
    smooth = Settings.of(l2=0.0, smoothness=0.3)
    assert largest_stable(smooth, "step_size", SHAPE) == pytest.approx(4 * ROUNDING / 8 / 0.3)
    both = Settings.of(l2=1.0, smoothness=0.3, natural_l2=2.0)
    assert largest_stable(both, "step_size", SHAPE) == pytest.approx(4 / (24 + 2 + 4))
    each = Settings.of(l2=(0.5, 4.0))
    assert largest_stable(each, "step_size", SHAPE) == pytest.approx(2 / 4)
    assert largest_stable(both.change("kernel", "bidmach"), "step_size", SHAPE) == pytest.approx(
        76 / 30
    )
    assert largest_stable(both.change("kernel", "mala"), "step_size", SHAPE) == math.inf
    assert largest_stable(Settings.of(l2=0.0), "step_size", SHAPE) == math.inf


def test_no_chequerboard_grows_at_the_limit_and_one_does_beyond_it():
    asked = {"step_size": 0.5, "smoothness": 1.0, "l2": 0.0}
    values, said = limited(Settings(), asked, SHAPE)
    assert values["smoothness"] == 1.0 and values["step_size"] == 0.049
    assert "Step size is limited to 0.049" in said and "Smoothness 1" in said
    calm = Settings.of(temperature=1e-5, mode="exact").with_values(values)
    wild = calm.change("step_size", 0.5)
    sizes = []
    for settings in (calm, wild):
        x = run(torch.full((1, *SHAPE), 0.5), 100, settings, nothing)[0].x
        sizes.append(float((x[..., 1:] - x[..., :-1]).abs().mean()))
    assert sizes[0] < 0.01 < 0.3 < sizes[1]


def test_what_is_raised_is_limited_itself():
    before = Settings.of(step_size=0.1, l2=0.5)
    values, said = limited(before, {"smoothness": 5.0}, SHAPE)
    assert list(values) == ["smoothness"] and 0 < values["smoothness"] < 0.5
    assert "Smoothness is limited" in said and "Step size 0.1" in said and "L2 weight 0.5" in said
    assert is_stable(before.with_values(values), SHAPE)
    assert limited(before, {"smoothness": 0.2}, SHAPE) == ({"smoothness": 0.2}, "")
    strong = Settings.of(l2=100.0, kernel="bidmach", step_size=0.3)
    values, said = limited(strong, {"kernel": "langevin"}, SHAPE)
    assert values == {"kernel": "langevin", "step_size": 0.019} and "Step size" in said
    started = Settings.of(l2=0.0, smoothness=0.1, schedule=50, step_size_start=0.2)
    values, said = limited(started, {"step_size_start": 3.0}, SHAPE)
    assert values == {"step_size_start": 0.49} and "at the start is" in said


def test_each_chain_keeps_its_own_value_where_it_may():
    values, _ = limited(Settings.of(l2=1.0), {"step_size": (0.5, 5.0)}, SHAPE)
    assert values["step_size"] == (0.5, 1.9)


@pytest.mark.parametrize("preset", PRESETS.values())
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 224, 224)])
def test_presets_are_stable(preset, shape):
    for discriminator in (False, True):
        check_stable(Settings.of(**preset.values(shape, discriminator=discriminator)), shape)


def test_unstable_settings_are_refused_with_the_largest_step():
    with pytest.raises(StudioError, match=r"step size of 5 is too large.*L2 weight 0\.5 is 3\.9"):
        check_stable(Settings.of(step_size=5.0), SHAPE)


def test_a_curve_of_step_sizes_is_limited_as_a_step_size_is():
    drawn = Settings.of(schedule_shape="curves", l2=0.0, smoothness=0.1, step_size=0.1)
    limit = largest_stable(drawn, "step_size", SHAPE)
    high = f"0:{limit * 3:.3g}, 40:0.1, 90:{limit * 2:.3g}"
    found, said = limited(drawn, {"step_size_curve": high}, SHAPE)
    lower = drawn.change("step_size_curve", found["step_size_curve"])
    assert is_stable(lower, SHAPE) and said.startswith("Step size curve is limited to")
    assert "40:0.1" in lower.step_size_curve and lower.step_size_curve.count(":") == 3
    assert not is_stable(drawn.change("step_size_curve", high), SHAPE)
    with pytest.raises(StudioError, match="is too large: the largest that is stable"):
        check_stable(drawn.change("step_size_curve", high), SHAPE)
    unused = drawn.with_values({"schedule_shape": "once", "step_size_curve": high})
    assert is_stable(unused, SHAPE)
    assert limited(drawn, {"step_size_curve": "0:0.1"}, SHAPE) == ({"step_size_curve": "0:0.1"}, "")
