"""Presets on the command line and on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ldam_studio.cli import main
from ldam_studio.errors import StudioError
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.user_presets import LONGEST, UserPresets


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserPresets:
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "state"))
    return UserPresets()


def rendered(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict:
    assert main(["render", "--steps", "2", "--json", "--out", str(folder), *words]) == 0
    report = json.loads(capsys.readouterr().out)
    return read_recipe(Path(report["paths"]["raw"])).data["session"]


def test_a_preset_is_recorded_as_its_settings_and_flags_beside_it_win(mine, tmp_path, capsys):
    session = rendered(capsys, tmp_path / "a", "--preset", "Paper", "--temperature", "0.5")
    expected = PRESETS["paper"].values((1, 28, 28), discriminator=True) | {"temperature": 0.5}
    assert session["lanes"][0]["settings"] | expected == session["lanes"][0]["settings"]
    assert session["discriminator"] is not None
    assert "preset" not in session


def test_modes_of_0_1_0_beside_a_preset_decide_the_kernel(mine, tmp_path, capsys):
    """Then BIDMach's rule was the mode "reference", so a preset's mode did not outlast a flag's."""
    mine.save("Paper's own", {"mode": "reference", "l2": 0.1})
    kernels = []
    for preset, mode in (("clean", "reference"), ("paper's own", "exact"), ("paper's own", None)):
        flags = () if mode is None else ("--mode", mode)
        session = rendered(capsys, tmp_path / "a", "--preset", preset, *flags)
        kernels.append(session["lanes"][0]["settings"]["kernel"])
    assert kernels == ["bidmach", "langevin", "bidmach"]


def test_without_a_discriminator_a_preset_leaves_it_out(mine, tmp_path, capsys):
    code = tmp_path / "own.py"
    code.write_text(
        "from torch import nn\n"
        "def model():\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))\n"
        "    net.pixels = dict(channels=1, height=8, width=8, mean=[0], std=[1])\n"
        "    return net\n"
    )
    session = rendered(capsys, tmp_path / "a", "--preset", "clean", "--network", f"{code}:model")
    assert session["discriminator"] is None
    assert session["lanes"][0]["settings"]["discriminator_weight"] == 0
    assert session["lanes"][0]["settings"]["jitter"] == 1


def test_a_persons_own_preset_is_saved_found_renamed_and_removed(mine, tmp_path, capsys):
    mine.save("  quiet  night ", {"temperature": 0.5, "l2": (0.25, 0.75), "clamp": True})
    mine.save("Quiet Night", {"temperature": 0.125, "l2": (0.25, 0.75), "clamp": True})
    session = rendered(capsys, tmp_path / "a", "--preset", "QUIET night")
    assert session["lanes"][0]["settings"]["temperature"] == 0.125
    assert session["lanes"][0]["settings"]["l2"] == [0.25, 0.75] * 5
    mine.rename("Quiet Night", "Day")
    assert list(mine.all()) == [*PRESETS, "Day"]
    mine.rename("Day", "day")
    mine.remove("day")
    assert mine.read() == {}


@pytest.mark.parametrize(
    ("name", "says"), [("", "1 to"), (" ", "1 to"), ("x" * (LONGEST + 1), "1 to"), ("PAPER", "of")]
)
def test_names_that_will_not_do(mine, name, says):
    with pytest.raises(StudioError, match=says):
        mine.save(name, {"l2": 1.0})
    assert not mine.path.exists()


def test_a_name_that_is_taken_is_not_overwritten_by_renaming(mine):
    mine.save("one", {"l2": 1.0})
    mine.save("two", {"l2": 2.0})
    with pytest.raises(StudioError, match="already a preset 'one'"):
        mine.rename("two", "one")
    assert mine.find("one").settings == {"l2": 1.0}


def test_a_preset_that_the_program_has_come_to_have_too_is_kept_under_another_name(mine):
    mine.save("mine", {"l2": 2.0})
    mine.path.write_text(mine.path.read_text().replace("mine", "Paper"))
    assert dict(mine.find("paper (yours)").settings) == {"l2": 2.0}
    assert mine.find("Paper") is PRESETS["paper"]
    mine.save("other", {"l2": 1.0})
    assert list(mine.read()) == ["other", "Paper (yours)"]


FIRST_RELEASE = """{
 "version": 1,
 "presets": [
  {
   "name": "Quiet Night",
   "settings": {
    "temperature": 0.125,
    "l2": [
     0.25,
     0.75
    ]
   }
  },
  {
   "name": "everything",
   "settings": {
    "temperature": 0.01,
    "step_size": 0.1,
    "l2": 0.5,
    "discriminator_weight": 0.0,
    "smoothness": 0.0,
    "spectrum": 0.0,
    "colour_correlation": 0.0,
    "jitter": 0,
    "window": 0,
    "thin": 1,
    "burn_in": "auto",
    "clamp": false,
    "mode": "normalised",
    "average_over": "time",
    "threshold": "auto",
    "start_spread": 0.1,
    "start_spectrum": 0.0
   }
  }
 ]
}"""


def test_presets_of_the_first_release_still_open_and_are_written_alike(mine):
    mine.path.parent.mkdir()
    mine.path.write_text(FIRST_RELEASE)
    found = mine.read()
    assert dict(found["Quiet Night"].settings) == {"temperature": 0.125, "l2": (0.25, 0.75)}
    everything = found["everything"].settings
    assert len(everything) == 18 and everything["burn_in"] == everything["threshold"] == "auto"
    assert everything["step_size"] == 0.1 and everything["clamp"] is False
    assert (everything["mode"], everything["kernel"]) == ("normalised", "langevin")
    mine.save("Third", {"l2": 1.0})
    mine.remove("Third")
    assert mine.read() == found


DAMAGED = (
    "",
    "[]",
    "[" * 100_000,
    '{"version": 9, "presets": []}',
    '{"version": 1}',
    '{"version": 1, "presets": [{"name": "a", "settings": {"l2": "x"}}]}',
    '{"version": 1, "presets": [{"name": 3, "settings": {}}]}',
    '{"version": 1, "presets": [{"name": "a"}]}',
    '{"version": 1, "presets": {"name": "a"}}',
    '{"version": 1, "presets": [{"name": "a", "settings": [["l2", 1.0]]}]}',
    '{"presets": []}',
)


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_one_sentence_and_keeps_nobody_from_the_programs_own(mine, content):
    mine.path.parent.mkdir()
    mine.path.write_text(content)
    with pytest.raises(StudioError, match=r"presets\.json cannot be read") as refused:
        mine.find("mine")
    assert "\n" not in str(refused.value)
    with pytest.raises(StudioError):
        mine.save("mine", {"l2": 1.0})
    assert mine.path.read_text() == content
    assert mine.find("paper") is PRESETS["paper"]


def test_names_in_a_file_are_shown_plain_and_short(mine):
    kept = [{"name": name, "settings": {}} for name in ("x" * 100_000, "a\x1b[2J\n\u202e")]
    mine.path.parent.mkdir(parents=True, exist_ok=True)
    mine.path.write_text(json.dumps({"version": 1, "presets": kept}))
    names = mine.read()
    assert len(names) == 2
    assert all(len(name) <= LONGEST and name.isprintable() for name in names)
    mine.path.write_text(json.dumps({"version": 1, "presets": kept * 501}))
    with pytest.raises(StudioError, match="cannot be read"):
        mine.read()


def test_more_presets_than_can_be_read_are_not_written(mine):
    kept = [{"name": f"p{number}", "settings": {}} for number in range(1000)]
    mine.path.parent.mkdir(parents=True, exist_ok=True)
    mine.path.write_text(json.dumps({"version": 1, "presets": kept}))
    with pytest.raises(StudioError, match=r"1,000 presets.*delete one"):
        mine.save("one more", {"l2": 1.0})
    mine.save("p0", {"l2": 1.0})
    assert len(mine.read()) == 1000 and mine.find("p0").settings == {"l2": 1.0}
