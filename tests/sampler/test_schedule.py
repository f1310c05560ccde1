"""Schedules: the values over the steps, the clock, images at another size, sizes of views."""

import math
from itertools import pairwise

import pytest
import torch

from ldam_studio.sampler.prepare import parameters_of, repaced
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.resize import _weights, resized
from ldam_studio.sampler.schedule import (
    Clock,
    along,
    at_present,
    begins_average,
    cycle_at,
    follows,
    has_schedule,
    is_coarse,
    is_sampled,
    judges,
    length_of,
    moves,
    runs,
)
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.views import View, draw_views, seen_in, sides_of_views

SCHEDULED = Settings.of(
    schedule=100,
    step_size=0.02,
    step_size_start=0.2,
    temperature=0.0,
    temperature_start=0.01,
    resolution=224,
    resolution_start=128,
    coarse_share=0.25,
)


def test_a_value_falls_geometrically_and_ends_at_its_own():
    values = [at_present(SCHEDULED, Clock(t)).step_size for t in range(120)]
    assert values[0] == 0.2 and set(values[100:]) == {0.02}
    assert values[50] == pytest.approx(math.sqrt(0.2 * 0.02))
    ratios = [b / a for a, b in pairwise(values[:101])]
    assert ratios == pytest.approx([0.1 ** (1 / 100)] * 100)


def test_a_value_may_rise_and_each_chain_has_its_own_end():
    low, high = along(0.1, (0.025, 1.6), 0.5)
    assert (low, high) == pytest.approx((0.05, 0.4))


def test_a_value_that_ends_at_0_falls_in_equal_steps():
    values = [at_present(SCHEDULED, Clock(t)).temperature for t in (0, 25, 50, 99, 100)]
    assert values == pytest.approx([0.01, 0.0075, 0.005, 0.0001, 0.0])


def test_the_resolution_changes_once():
    sides = [at_present(SCHEDULED, Clock(t)).resolution for t in range(101)]
    assert sides == [128] * 25 + [224] * 76


def test_without_a_schedule_or_a_start_value_nothing_changes():
    for without in (SCHEDULED.change("schedule", 0), Settings.of(schedule=100, step_size=0.3)):
        assert all(at_present(without, Clock(t)) is without for t in (0, 10, 100, 1000))


def test_a_changed_setting_leaves_the_schedule_until_its_start_is_set_or_chains_start():
    clock = Clock(10).taking("step_size", SCHEDULED)
    assert not runs(SCHEDULED, clock, "step_size") and runs(SCHEDULED, clock, "temperature")
    assert at_present(SCHEDULED, clock.after_step()).step_size == 0.02
    assert clock.taking("step_size_start", SCHEDULED) == Clock(10)
    assert clock.taking("l2", SCHEDULED) == clock
    over = Clock(100)
    assert over.taking("step_size", SCHEDULED) == over


@pytest.mark.parametrize("temperature", [0.3, (0.1, 0.2, 0.4)])
def test_parameters_of_another_step_size_are_those_computed_anew(temperature):
    settings = Settings.of(l2=0.3, smoothness=0.1, step_size=(0.1, 0.2, 0.3), mode="exact")
    other = settings.change("step_size", 0.07).change("temperature", temperature)
    quick = repaced(parameters_of(settings, 3), other, 100.0)
    anew = parameters_of(other, 3, heat=100.0)
    assert torch.equal(quick.noise, anew.noise)
    assert quick.columns.keys() == anew.columns.keys()
    assert all(torch.equal(quick.columns[name], anew.columns[name]) for name in anew.columns)
    for one, same in zip(quick.terms, anew.terms, strict=True):
        assert one.term is same.term
        assert torch.equal(one.rate, same.rate) and torch.equal(one.factor, same.factor)


def images(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(5, 7), (20, 30), (10, 4)])
def test_a_resized_image_keeps_even_colours_and_bounds(size):
    even = resized(torch.full((1, 3, 10, 12), 0.3), size)
    assert torch.allclose(even, torch.full((1, 3, *size), 0.3))
    x = images(2, 3, 10, 12)
    small = resized(x, size)
    assert small.shape == (2, 3, *size) and small.is_contiguous()
    assert x.min() <= small.min() and small.max() <= x.max()


def test_a_ramp_is_interpolated_between_the_centres_of_pixels():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    larger = resized(ramp, (16, 16))
    expected = ((torch.arange(16) + 0.5) / 2 - 0.5).clamp(0, 7)
    assert torch.allclose(larger, expected.expand(1, 1, 16, 16))


def test_half_the_size_weighs_with_a_triangle_as_wide_as_four_pixels():
    row = _weights(16, 8, torch.device("cpu"))[4]
    assert torch.allclose(row[7:11], torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8)
    assert row.sum() == pytest.approx(1) and (row != 0).sum() == 4


def test_an_image_of_the_size_is_the_same_tensor():
    x = images(1, 3, 6, 6)
    assert resized(x, (6, 6)) is x


def test_an_accelerator_computes_the_same():
    x = images(2, 3, 21, 30)
    for size in ((7, 11), (32, 40)):
        height, width = (
            _weights(old, new, x.device) for old, new in zip(x.shape[2:], size, strict=True)
        )
        assert torch.allclose(height @ x @ width.T, resized(x, size), atol=1e-6)


def test_views_are_shown_at_multiples_of_32_pixels():
    assert sides_of_views(Settings.of(view_size=0.57), 224) == (128, 160, 192, 224)
    assert sides_of_views(Settings.of(view_size=0.57), 128) == (96, 128)
    assert sides_of_views(Settings.of(view_size=0.5), 28) == ()
    assert sides_of_views(Settings(), 224) == ()


def test_sizes_are_drawn_uniformly_and_leave_other_numbers_alone():
    sizes = ((64, 64), (96, 96), (128, 128), (160, 160))
    moved = {"jitter": 20, "view_rotation": 10.0}
    plain, varied = Generators(5), Generators(5)
    counts = dict.fromkeys(sizes, 0)
    for _ in range(2_000):
        (own,) = draw_views(Settings.of(**moved), (160, 160), plain)
        (view,) = draw_views(Settings.of(**moved, view_size=0.4), (160, 160), varied, sizes, 160)
        assert view.angle == own.angle
        side = (view.size or (160, 160))[0]
        assert max(map(abs, view.shift)) <= round(20 * side / 160)
        counts[side, side] += 1
    assert all(abs(count - 500) < 80 for count in counts.values())


def test_jitter_is_for_the_full_size():
    drawn = Generators(1)
    views = [draw_views(Settings.of(jitter=16), (28, 28), drawn, full=224)[0] for _ in range(300)]
    assert {view.shift[0] for view in views} == set(range(-2, 3))


def test_a_smaller_view_is_linear_and_its_gradient_is_the_image_s():
    x = images(2, 3, 64, 64).double().requires_grad_(True)
    view = View(shift=(1, -2), zoom=1.1, size=(32, 32))
    show = seen_in(view, (None, None), x, rest=0.4)
    seen = show(x)
    assert seen.shape == (2, 3, 32, 32)
    weights = images(*seen.shape).double()
    (gradient,) = torch.autograd.grad((seen * weights).sum(), x)
    move = images(*x.shape).double() - 0.5
    change = ((show(x + move) - seen) * weights).sum()
    assert change.item() == pytest.approx((gradient * move).sum().item())


CYCLING = SCHEDULED.change("schedule_shape", "cycles")


def values(settings, name, steps):
    return [getattr(at_present(settings, Clock(t)), name) for t in steps]


def test_the_course_cosine_is_that_of_sgdr():
    settings = SCHEDULED.change("schedule_course", "cosine")
    expected = [0.02 + 0.18 * (1 + math.cos(math.pi * t / 100)) / 2 for t in range(100)]
    assert values(settings, "step_size", range(100)) == pytest.approx(expected)
    assert values(settings, "step_size", (100, 500)) == [0.02, 0.02]
    at = values(settings, "temperature", (0, 50, 100))
    assert at == pytest.approx([0.01, 0.005, 0])
    own = along(0.1, (0.02, 0.4), 0.5, cosine=True)
    assert own == pytest.approx((0.06, 0.25))


def test_the_discriminator_weight_moves_in_equal_steps_also_from_0():
    settings = Settings.of(schedule=10, discriminator_weight=(0.8, 0.2))
    assert not follows(settings, "discriminator_weight")
    settings = settings.change("discriminator_weight_start", 0)
    assert values(settings, "discriminator_weight", (0, 5, 10)) == [(0, 0), (0.4, 0.1), (0.8, 0.2)]
    back = settings.with_values({"discriminator_weight_start": 1, "discriminator_weight": 0.5})
    assert values(back, "discriminator_weight", (0, 5, 12)) == [1, 0.75, 0.5]
    assert judges(settings) and judges(back.change("discriminator_weight", 0))
    assert not judges(Settings.of(schedule=10, discriminator_weight_start=0))


@pytest.mark.parametrize("course", ["geometric", "cosine"])
def test_cycles_begin_again_with_the_values_of_the_first(course):
    settings = CYCLING.change("schedule_course", course)
    for name in ("step_size", "temperature", "resolution"):
        once = SCHEDULED.change("schedule_course", course)
        first = values(once, name, range(100))
        assert values(settings, name, range(300)) == first * 3
    assert runs(settings, Clock(1_000_000), "step_size")


def test_each_cycle_is_longer_than_the_one_before_it():
    settings = CYCLING.change("cycle_growth", 2)
    begins = [0, 100, 300, 700, 1500]
    assert [cycle_at(settings, t) for t in begins] == [(number, 0) for number in range(5)]
    assert [cycle_at(settings, t - 1).number for t in begins[1:]] == [0, 1, 2, 3]
    assert cycle_at(settings, 500) == (2, 0.5)
    warm = values(settings, "step_size", (200, 500, 1100))
    assert warm == pytest.approx([math.sqrt(0.2 * 0.02)] * 3)


@pytest.mark.parametrize("growth", [1.0, 1.000001, 1.1, 1.5, 2.0, 4.0])
def test_cycles_have_no_gaps(growth):
    settings = CYCLING.with_values({"schedule": 3, "cycle_growth": growth})
    for at in [*range(400), 10**6, 10**9, 10**12]:
        cycle = cycle_at(settings, at)
        assert 0 <= cycle.share < 1
        if at:
            before = cycle_at(settings, at - 1)
            assert cycle.number in (before.number, before.number + 1)
            assert cycle.number > before.number or cycle.share > before.share or at > 10**6


def begun(settings):
    """Return the steps with whose sample an average would begin, if they have one."""
    counted = (t for t in range(300) if is_sampled(settings, Clock(t)))
    return [t for t in counted if begins_average(settings, Clock(t))]


def test_only_samples_from_the_cold_end_of_a_cycle_count():
    settings = CYCLING.change("cycle_sampled", 0.25)
    counted = [t for t in range(200) if is_sampled(settings, Clock(t))]
    assert counted == [*range(75, 100), *range(175, 200)]
    assert begun(settings) == [75, 175, 275]
    thinned = settings.change("thin", 4)
    sampled = [t for t in begun(thinned) if t % 4 == 3]
    assert sampled == [75, 175, 275] and len(begun(thinned)) == 12
    together = settings.change("average_cycles", "all")
    assert not begun(together)
    whole = settings.change("cycle_sampled", 1)
    assert all(is_sampled(whole, Clock(t)) for t in range(200))
    assert begun(whole) == [0, 100, 200]
    everything = frozenset({"step_size", "temperature", "resolution"})
    assert is_sampled(settings, Clock(0, everything)) and is_sampled(settings, Clock(0).stopped())
    assert all(is_sampled(SCHEDULED, Clock(t)) for t in range(200))


CURVED = Settings.of(
    schedule_shape="curves",
    step_size_curve="0:0.1, 50:0.4, 100:0.1",
    discriminator_weight_curve="10:0, 20:1",
    resolution_curve="0:96, 60:160",
    temperature=(0.1, 0.2),
)


def test_settings_follow_their_curves_and_stay_at_the_last_point():
    assert values(CURVED, "step_size", (0, 25, 50, 75, 100, 5_000)) == pytest.approx(
        [0.1, 0.2, 0.4, 0.2, 0.1, 0.1]
    )
    assert values(CURVED, "discriminator_weight", (0, 15, 99)) == [0, 0.5, 1]
    assert values(CURVED, "resolution", (0, 59, 60)) == [96, 96, 160]
    assert values(CURVED, "temperature", (0, 50)) == [(0.1, 0.2)] * 2
    assert [is_coarse(CURVED, Clock(t)) for t in (0, 59, 60)] == [True, True, False]
    assert length_of(CURVED) == 100 and has_schedule(CURVED) and judges(CURVED)
    assert [t for t in (0, 60, 100, 101) if moves(CURVED, Clock(t))] == [0, 60, 100]
    for shape in ("once", "cycles"):
        other = CURVED.change("schedule_shape", shape)
        assert at_present(other, Clock(10)) is other and not has_schedule(other)
    assert not has_schedule(Settings.of(schedule_shape="curves", schedule=10, step_size_start=1))


def test_a_stopped_schedule_keeps_its_values_and_goes_on_from_there():
    clock = Clock(30).stopped()
    for _ in range(7):
        clock = clock.after_step()
    assert clock.steps == 37 and clock.at == 30 and not moves(SCHEDULED, clock)
    assert at_present(SCHEDULED, clock) == at_present(SCHEDULED, Clock(30))
    clock = clock.going_on().after_step()
    assert clock.steps == 38 and clock.at == 31 and moves(SCHEDULED, clock)
    assert clock.going_on() == clock and clock.stopped().stopped().at == 31
    taken = Clock(30).stopped().taking("step_size", SCHEDULED)
    assert not runs(SCHEDULED, taken, "step_size") and runs(SCHEDULED, taken, "temperature")


def test_a_new_curve_puts_a_setting_back():
    clock = Clock(10).taking("step_size", CURVED)
    assert not runs(CURVED, clock, "step_size")
    assert clock.taking("step_size_curve", CURVED) == Clock(10)


def test_a_schedule_begins_with_its_shape_its_first_curve_or_its_first_cycle():
    plain = Settings.of(schedule_shape="curves")
    begun = Clock(70).taking("step_size_curve", plain.change("step_size_curve", "0:1"), plain)
    assert begun.at == 0 and begun.steps == 70 and begun.after_step().at == 1
    more = CURVED.change("temperature_curve", "0:1")
    assert Clock(70).taking("temperature_curve", more, CURVED) == Clock(70)
    for shape in ("cycles", "curves"):
        other = SCHEDULED.change("schedule_shape", shape)
        assert Clock(70).stopped().taking("schedule_shape", other, SCHEDULED).at == 0
    back = Clock(70, behind=70).taking("schedule_shape", SCHEDULED, CURVED)
    assert back == Clock(70)
    waiting = Settings.of(schedule_shape="cycles", step_size_start=0.5)
    assert Clock(70).taking("schedule", waiting.change("schedule", 9), waiting).at == 0
    longer = SCHEDULED.change("schedule", 200)
    assert Clock(70).taking("schedule", longer, SCHEDULED) == Clock(70)
    none = Settings.of(step_size_start=0.5)
    assert Clock(70).taking("schedule", none.change("schedule", 100), none) == Clock(70)


def test_parameters_follow_the_discriminator_weight():
    settings = Settings.of(discriminator_weight=0, step_size=0.2)
    for weight in (0.3, (0.0, 0.5), 1, 0):
        settings = settings.change("discriminator_weight", weight)
        quick = repaced(parameters_of(Settings.of(step_size=0.2), 2), settings)
        anew = parameters_of(settings, 2)
        assert [weighted.term for weighted in quick.terms] == [w.term for w in anew.terms]
        for one, same in zip(quick.terms, anew.terms, strict=True):
            assert torch.equal(one.rate, same.rate) and torch.equal(one.factor, same.factor)
