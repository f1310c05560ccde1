"""The window is built from the list of features; what a feature adds stands where it belongs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QFileDialog, QLabel, QMenu

from gui.windows import CPU, open_in, small_opening
from ldam_studio.errors import StudioError
from ldam_studio.gui.features import FEATURES, Row
from ldam_studio.gui.opening import file_kinds
from ldam_studio.gui.opening.file_kinds import KINDS, WEIGHTS, FileKind, kind_of, opening_of
from ldam_studio.gui.opening.files import Files
from ldam_studio.gui.studio import Entry, Feature
from ldam_studio.gui.window import window as window_module
from ldam_studio.gui.window.entries import entries
from ldam_studio.gui.window.sections import Sections
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES

MINE = Entry("mine", "Mine", "Ctrl+J", "Do mine")


class Mine(Feature):
    """A feature as a stranger would add it."""

    entries = (MINE,)

    def __init__(self, studio) -> None:
        super().__init__(studio)
        self.done, self.frames = 0, []
        self.panel = QLabel("mine")
        action = studio.places.action(MINE, self.act)
        studio.places.add_to_menu("Run", action)
        studio.places.add_to_toolbar(action)
        studio.frames.shown.connect(self.frames.append)
        studio.places.add_panel("controls", self.panel)

    def act(self) -> None:
        self.done += 1
        self.studio.notices.say("Mine was done.")

    def remember(self):
        return {"done": self.done}


@dataclass(frozen=True)
class OwnRow(Row):
    def load(self):
        return Mine


@pytest.fixture
def mine(make_window, qtbot, monkeypatch):
    """Give a window whose list of features has one more."""
    rows = (OwnRow("mine", "", panel=True), *FEATURES)
    monkeypatch.setattr(window_module, "FEATURES", rows)
    return open_in(make_window(), qtbot, small_opening())


def test_one_row_makes_a_feature_with_a_panel_an_entry_and_frames(mine):
    feature = mine.feature(Mine)
    mine.actions_by_name["mine"].trigger()
    assert feature.done == 1 and "Mine was done." in mine.banner.texts()
    assert feature.panel.isVisible() and mine.panels.column.isAncestorOf(feature.panel)
    assert feature.frames[-1] is mine.last_frame
    texts = [act.text() for act in mine.places.menu("Run").actions()]
    # It comes first, as in the list, although it was made last.
    assert texts[:2] == ["Mine", ""] and "Melt" in texts
    assert mine.toolbar.actions()[0] is mine.actions_by_name["mine"]


def test_what_needs_a_session_is_disabled_until_one_is_open(make_window, qtbot, tmp_path):
    window = make_window()
    needy = [entry.name for entry in entries() if entry.needs_session]
    assert {"open_weights", "open_discriminator", "compare", "edit_presets"} <= set(needy)
    made = [window.actions_by_name[name] for name in needy if name in window.actions_by_name]
    assert made and not any(action.isEnabled() for action in made)
    window.feature(Files).open(tmp_path / "mine.safetensors")
    assert "Open a network first" in window.banner.texts()[-1]
    open_in(window, qtbot, small_opening())
    assert all(window.actions_by_name[name].isEnabled() for name in needy)


def test_every_row_names_a_feature_and_no_two_have_a_name_in_common():
    assert all(issubclass(row.load(), Feature) for row in FEATURES)
    assert len({row.name for row in FEATURES}) == len(FEATURES)


def test_a_contract_keeps_every_feature_from_the_others_and_from_the_window():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each.get("containers") == ["ldam_studio.gui"])
    # Modules of one layer, separated by "|", may not import each other.
    layers = [layer.split(" | ") for layer in contract["layers"]]
    assert contract["type"] == "layers" and contract["exhaustive"]
    (features,) = (number for number, layer in enumerate(layers) if "traces" in layer)
    assert all(row.factory.partition(".")[0] in layers[features] for row in FEATURES)
    above = [layers.index([name]) for name in ("app", "window", "features")]
    assert max(above) < features


def test_sections_keep_their_order_whenever_they_come(qapp):
    menu = QMenu()
    sections = Sections(menu)
    for rank, text in ((2, "c"), (0, "a"), (1, "b"), (2, "d"), (0, "a2")):
        action = menu.addAction(text)
        menu.removeAction(action)
        sections.add(rank, [action])
    texts = ["-" if act.isSeparator() else act.text() for act in menu.actions()]
    assert texts == ["a", "-", "a2", "-", "b", "-", "c", "-", "d"]


def test_a_file_opens_by_its_ending_in_either_case(tmp_path):
    for kind in KINDS:
        for suffix in kind.suffixes:
            assert kind_of(tmp_path / f"file{suffix.upper()}") is kind
            assert f"*{suffix}" in kind.filter
    assert WEIGHTS.suffixes == WEIGHTS_SUFFIXES
    with pytest.raises(
        StudioError,
        match="neither a session file nor an exported picture nor an exported figure nor a "
        "photograph nor weights nor Python code",
    ):
        kind_of(tmp_path / "notes.txt")


def test_a_further_kind_of_file_is_one_row(mine, tmp_path, monkeypatch):
    opened = []
    kind = FileKind("Notes", "notes", (".txt",), lambda _opener, path: opened.append(path))
    monkeypatch.setattr(file_kinds, "KINDS", (*KINDS, kind))
    path = tmp_path / "a.TXT"
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *args: (asked.append(args[-1]), (str(path), ""))[1]
    )
    mine.actions_by_name["open_file"].trigger()
    assert opened == [path] and asked[0].endswith(";;Notes (*.txt)")
    assert mine.studio.start_folder == str(tmp_path)
    with pytest.raises(StudioError, match=r"a\.md is neither .* nor notes"):
        kind_of(tmp_path / "a.md")


def test_a_file_on_the_command_line_is_a_session(tmp_path):
    for name in ("none.png", "weights.pt"):
        with pytest.raises(StudioError, match=name):
            opening_of(tmp_path / name, CPU)
