"""Curves drawn by hand: what is accepted, what is refused in one sentence, values in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.errors import StudioError
from ldam_studio.sampler.curve import MOST_POINTS, points_of, text_of, value_at
from ldam_studio.sampler.schedule import CURVE_OF
from ldam_studio.sampler.settings import SETTINGS, Settings, parse


def test_a_curve_is_stored_in_one_way():
    stored = parse("step_size_curve", " 0:1,40 : .2,  100:1e-2 ")
    assert stored == "0:1, 40:0.2, 100:0.01"
    assert points_of(stored) == ((0, 1.0), (40, 0.2), (100, 0.01))
    assert Settings.of(step_size_curve=stored).step_size_curve == stored
    assert parse("step_size_curve", "   ") == ""


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("step_size_curve", "0:1, 40:20", "must lie between 1e-06 and 10, not 20 at step 40"),
        ("step_size_curve", "0:0", "must lie between 1e-06 and 10, not 0 at step 0"),
        ("temperature_curve", "7:-1", "must lie between 0 and 1,000, not -1 at step 7"),
        ("discriminator_weight_curve", "0:0, 9:1.5", "between 0 and 1, not 1.5 at step 9"),
        ("denoiser_noise_curve", "0:.9", "must lie between 0.02 and 0.6, not 0.9 at step 0"),
        ("resolution_curve", "0:4096", "must lie between 0 and 1,024, not 4,096 at step 0"),
        ("resolution_curve", "0:48.5", "needs whole numbers, not 48.5 at step 0"),
        ("temperature_curve", "0:1, 0:2", "steps that rise from point to point, but 0 follows 0"),
        ("temperature_curve", "9:1, 4:2", "steps that rise from point to point, but 4 follows 9"),
        ("temperature_curve", "-1:1", "needs steps between 0 and 1,000,000, not -1"),
        ("temperature_curve", "1000001:1", "needs steps between 0 and 1,000,000, not 1,000,001"),
        ("temperature_curve", "0:nan", "must be points such as .*not '0:nan'"),
        ("temperature_curve", "0:inf", "must be points such as"),
        ("temperature_curve", "nan:1", "must be points such as"),
        ("temperature_curve", "1e999:1", "must be points such as"),
        ("temperature_curve", "1.5:1", "must be points such as"),
        ("temperature_curve", ",", "must be points such as"),
        ("temperature_curve", "0:1,", "must be points such as"),
        ("temperature_curve", "0.1", "must be points such as"),
        ("temperature_curve", "0:1:2", "must be points such as"),
        ("temperature_curve", "hot", "must be points such as .*not 'hot'"),
        ("temperature_curve", "x" * 5_000, "must be points such as"),
        ("temperature_curve", 0.1, "must be points such as"),
        ("temperature_curve", ["0:1"], "takes one value, not a list"),
    ],
)
def test_what_leaves_the_range_or_is_no_curve_is_one_sentence(name, text, sentence):
    with pytest.raises(StudioError, match=sentence) as caught:
        Settings().change(name, text)
    assert str(caught.value).startswith(SETTINGS[name].label)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 160


def test_too_many_points_are_refused():
    most = ", ".join(f"{step}:1" for step in range(MOST_POINTS))
    assert len(points_of(parse("temperature_curve", most))) == MOST_POINTS
    with pytest.raises(StudioError, match=f"takes at most {MOST_POINTS} points, not 33"):
        parse("temperature_curve", f"{most}, 99:1")


@pytest.mark.parametrize("name", ["step_size_start", "denoiser_noise_start"])
def test_a_start_that_leaves_the_range_of_its_setting_is_refused(name):
    least = SETTINGS[name].gap
    assert least == SETTINGS[name.removesuffix("_start")].minimum
    with pytest.raises(StudioError, match="must be 0, or lie between"):
        parse(name, str(least / 2))
    assert parse(name, "0") == 0 and parse(name, str(least)) == least


def test_the_longest_curve_fits_into_a_file():
    points = [(1_000_000 - MOST_POINTS + n, 999.999) for n in range(MOST_POINTS)]
    assert len(parse("temperature_curve", text_of(points))) <= 1_000


@pytest.mark.parametrize("name", CURVE_OF)
def test_a_curve_has_the_range_of_its_setting(name):
    assert SETTINGS[CURVE_OF[name]].bounds == SETTINGS[name].bounds
    assert SETTINGS[CURVE_OF[name]].slider == SETTINGS[name].slider
    assert SETTINGS[CURVE_OF[name]].of_points == SETTINGS[name].scale


def test_values_between_points_are_those_of_the_scale():
    points = points_of("10:1, 20:0.01, 40:0.04")
    at = [value_at(points, step, "log") for step in (0, 10, 15, 20, 30, 40, 999)]
    assert at == pytest.approx([1, 1, 0.1, 0.01, 0.02, 0.04, 0.04])
    at = [value_at(points, step, "linear") for step in (10, 15, 20, 30)]
    assert at == pytest.approx([1, 0.505, 0.01, 0.025])
    sides = points_of("0:96, 30:160, 80:0")
    assert [value_at(sides, step, "count") for step in (0, 29, 30, 79, 80)] == [96, 96, 160, 160, 0]


def test_a_value_from_or_to_0_moves_in_equal_steps():
    points = points_of("0:0.4, 10:0, 20:0.2")
    assert [value_at(points, s, "log") for s in (5, 10, 15)] == pytest.approx([0.2, 0, 0.1])


@given(
    st.lists(st.integers(0, 1_000_000), min_size=1, max_size=MOST_POINTS, unique=True),
    st.data(),
)
def test_what_is_stored_is_read_again(steps, data):
    values = st.floats(1e-6, 10)
    text = ", ".join(f"{step}:{data.draw(values)}" for step in sorted(steps))
    stored = parse("step_size_curve", text)
    assert parse("step_size_curve", stored) == stored
    for point in points_of(stored):
        assert value_at(points_of(stored), point.step, "log") == point.value
    between = (value_at(points_of(stored), step, "log") for step in range(0, 10**6, 99_991))
    assert all(1e-6 * 0.999 <= value <= 10 * 1.001 for value in between)
