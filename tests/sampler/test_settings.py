"""Descriptions and values of settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldam_studio.errors import StudioError
from ldam_studio.sampler.settings import SETTINGS, Settings, parse

PER_CHAIN = [name for name, about in SETTINGS.items() if about.per_chain]
NUMBERS = [s for s in SETTINGS.values() if s.scale in ("linear", "log", "count")]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda s: s.name)
def test_defaults_are_valid_and_survive_being_typed(setting):
    assert setting.check(setting.default) == setting.default
    assert parse(setting.name, str(setting.default)) == setting.default


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda s: s.name)
@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "-inf", "1e999", "0x1", "1,5"])
def test_what_is_no_number_is_one_sentence(setting, text):
    with pytest.raises(StudioError, match=r"must (be|lie)[^.]*"):
        parse(setting.name, text)


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda s: s.name)
def test_values_out_of_range_name_the_range(setting):
    for value in (setting.minimum - 1, setting.maximum * 2 + 1):
        with pytest.raises(StudioError, match="must lie between"):
            setting.check(value)


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda s: s.name)
def test_sliders_offer_only_valid_values(setting):
    assert setting.minimum <= setting.slider[0] < setting.slider[1] <= setting.maximum
    if setting.scale == "log":
        assert setting.slider[0] > 0
        assert not setting.zero or setting.minimum == 0


@given(st.sampled_from(PER_CHAIN), st.floats(0.001, 1.0))
def test_a_change_touches_nothing_else(name, share):
    before, (least, most) = Settings(), SETTINGS[name].slider
    value = least + share * (most - least)
    if SETTINGS[name].scale == "count":
        value = round(value)
    after = before.change(name, value)
    assert getattr(after, name) == value
    assert after.change(name, getattr(before, name)) == before


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=5), st.integers(1, 12))
def test_values_per_chain_are_repeated_or_cut(values, chains):
    settings = Settings.of(temperature=values).for_chains(chains)
    expected = tuple(values[i % len(values)] for i in range(chains))
    assert settings.temperature == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonsense", 1),
        ("clamp", "maybe"),
        ("mode", "fast"),
        ("thin", [1, 2]),
        ("temperature", []),
        ("temperature", [0.1, "x"]),
        ("temperature", True),
        ("thin", 1.5),
        ("chains", 3),
        ("burn_in", "never"),
    ],
)
def test_what_cannot_be_set_is_one_sentence(name, value):
    with pytest.raises(StudioError):
        Settings().change(name, value)


def test_the_reference_mode_of_0_1_0_is_the_kernel_of_bidmach():
    assert Settings.of(mode="reference") == Settings.of(kernel="bidmach")
    assert Settings(kernel="bidmach").with_values({"mode": "exact"}) == Settings(mode="exact")
    kept = Settings(kernel="mala").with_values({"mode": "exact"})
    assert kept == Settings(mode="exact", kernel="mala")
    assert parse("mode", " Reference ") == "reference"
    with pytest.raises(StudioError, match="Mode must be one of normalised, exact, not 'reference'"):
        Settings().change("mode", "reference")
