"""Presets: sets of settings that belong together."""

from types import SimpleNamespace

import pytest

from ldam_studio.errors import StudioError
from ldam_studio.sampler import presets
from ldam_studio.sampler.presets import PRESETS, SIDE, Preset, find_preset
from ldam_studio.sampler.settings import Settings


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 28, 28), (3, 32, 32), (3, 512, 300), (1, 64, 96)])
@pytest.mark.parametrize("discriminator", [True, False])
def test_every_preset_is_settings_that_can_be_had(preset, shape, discriminator):
    values = preset.values(shape, discriminator=discriminator)
    assert Settings.of(**values)
    assert preset.help.endswith(".")
    assert discriminator or values["discriminator_weight"] == 0


def test_one_preset_after_another_leaves_nothing_of_the_first():
    assert len({tuple(sorted(preset.settings)) for preset in PRESETS.values()}) == 1
    for preset in PRESETS.values():
        assert (
            preset.small.keys() | preset.grey.keys() | preset.coloured.keys() | preset.other.keys()
        ) <= preset.settings.keys()


def test_a_further_term_is_off_in_every_preset(monkeypatch):
    further = SimpleNamespace(setting="friction")  # in the place of a setting of its own
    monkeypatch.setattr(presets, "TERMS", (*presets.TERMS, further))
    again = presets._table(*PRESETS.values())
    for name, preset in again.items():
        assert dict(preset.settings) == dict(PRESETS[name].settings) | {"friction": 0.0}
        assert list(preset.settings)[:-1] == list(PRESETS[name].settings)


def test_jitter_grows_with_the_image_and_numbers_of_a_person_do_not():
    clean = PRESETS["clean"]
    at_home = clean.values(photograph(SIDE), discriminator=True)["jitter"]
    assert at_home == clean.settings["jitter"]
    assert clean.values(photograph(SIDE // 2), discriminator=True)["jitter"] == at_home // 2
    own = Preset("mine", "mine", "", {"jitter": 9})
    assert own.values(photograph(SIDE // 2), discriminator=True) == {"jitter": 9}


def test_no_preset_takes_more_of_the_discriminator_of_photographs_than_pictures_bear():
    """Above .5 they show its pattern instead of the neuron; those of small images are better."""
    for preset in PRESETS.values():
        assert preset.values(photograph(SIDE), discriminator=True)["discriminator_weight"] <= 0.5
    paper = PRESETS["paper"]
    assert paper.values((3, 32, 32), discriminator=True)["discriminator_weight"] == 0.75
    assert paper.values((1, 28, 28), discriminator=True)["discriminator_weight"] == 0.8


def photograph(side: int) -> tuple[int, int, int]:
    return 3, side, side + 40


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
def test_small_images_have_values_of_their_own(preset):
    def expect(shape, has_discriminator, further):
        values = preset.values(shape, discriminator=has_discriminator)
        expected = {**preset.settings, **preset.small, **further, "jitter": values["jitter"]}
        if not has_discriminator:
            expected["discriminator_weight"] = 0.0
        assert values == expected

    expect((1, 28, 28), True, preset.grey)
    expect((1, 28, 28), False, {})
    expect((3, 32, 32), True, preset.coloured)
    expect((3, 32, 32), False, preset.coloured)
    expect((3, 16, 16), False, {})
    assert preset.values(photograph(SIDE), discriminator=True) == preset.settings


@pytest.mark.parametrize(("side", "start"), [(64, 32), (224, 128), (299, 160), (448, 256)])
def test_a_start_resolution_grows_with_the_image(side, start):
    values = PRESETS["clean"].values(photograph(side), discriminator=False)
    assert values["resolution_start"] == start


def test_small_images_have_no_start_resolution():
    assert PRESETS["clean"].values((3, 32, 32), discriminator=False)["resolution_start"] == 0


def test_names_are_found_in_any_case_and_a_wrong_one_says_which_there_are():
    assert find_preset(" Clean ") is PRESETS["clean"]
    with pytest.raises(StudioError, match="no preset 'fast'; there are paper, clean, explore"):
        find_preset("fast")


@pytest.mark.parametrize("shape", [(1, 64, 96), (1, 512, 512), (2, 128, 128), (6, 64, 64)])
def test_images_that_are_no_photographs_are_neither_turned_nor_mirrored(shape):
    clean = PRESETS["clean"]
    values = clean.values(shape, discriminator=False)
    assert (values["view_rotation"], values["view_flip"], values["photo_statistics"]) == (
        0,
        False,
        0,
    )
    of_photographs = clean.values((3, *shape[1:]), discriminator=False)
    changed = {name for name in values if values[name] != of_photographs[name]}
    assert changed == {"view_rotation", "view_flip", "photo_statistics"}
