"""Presets: sets of settings that belong together."""

import pytest

from ldam_studio.errors import StudioError
from ldam_studio.sampler.presets import PRESETS, SIDE, Preset, find_preset
from ldam_studio.sampler.settings import Settings


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
@pytest.mark.parametrize("side", [1, 28, 224, 512])
@pytest.mark.parametrize("discriminator", [True, False])
def test_every_preset_is_settings_that_can_be_had(preset, side, discriminator):
    values = preset.values(side, discriminator=discriminator)
    assert Settings.of(**values)
    assert preset.help.endswith(".")
    assert discriminator or values["discriminator_weight"] == 0


def test_one_preset_after_another_leaves_nothing_of_the_first():
    assert len({tuple(sorted(preset.settings)) for preset in PRESETS.values()}) == 1
    assert all(preset.small.keys() <= preset.settings.keys() for preset in PRESETS.values())


def test_jitter_grows_with_the_image_and_numbers_of_a_person_do_not():
    clean = PRESETS["clean"]
    at_home = clean.values(SIDE, discriminator=True)["jitter"]
    assert at_home == clean.settings["jitter"]
    assert clean.values(SIDE // 2, discriminator=True)["jitter"] == at_home // 2
    own = Preset("mine", "mine", "", {"jitter": 9})
    assert own.values(SIDE // 2, discriminator=True) == {"jitter": 9}


def test_digits_with_a_discriminator_have_values_of_their_own():
    for preset in PRESETS.values():
        digits = preset.values(28, discriminator=True)
        assert digits | preset.small == digits
        photograph = preset.values(SIDE, discriminator=True)
        assert photograph == preset.settings
    alone = PRESETS["paper"].values(28, discriminator=False)
    assert alone["l2"] == PRESETS["paper"].settings["l2"]


def test_names_are_found_in_any_case_and_a_wrong_one_says_which_there_are():
    assert find_preset(" Clean ") is PRESETS["clean"]
    with pytest.raises(StudioError, match="no preset 'fast'; there are paper, clean, explore"):
        find_preset("fast")
