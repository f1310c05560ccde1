"""The guide says what the program says, and its links, pictures and command lines work."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from folders import at_rest
from ldam_studio.cli import COMMANDS, build_parser, main, with_command
from ldam_studio.commands import guide
from ldam_studio.errors import StudioError
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.sampler.settings_table import GROUPS, about_settings, markdown
from ldam_studio.training import CheckpointWriter

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "resources" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
FENCED = re.compile(r"```console\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`(ldam-studio [^`]+)`")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")

pages = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def command_lines(text: str) -> list[str]:
    """Return the program's command lines in a page, without their comments."""
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    return [
        line.partition(" #")[0].strip()
        for line in [*lines, *INLINE.findall(text)]
        if line.startswith(("ldam-studio", "make run ARGS="))
    ]


@pytest.mark.parametrize("name", [name for name in guide.LISTS if name != "keys.md"])
def test_lists_are_those_of_the_program(name):
    assert guide.LISTS[name]() in TEXTS[name], "run: ldam-studio guide"


def test_every_setting_preset_and_command_is_listed():
    assert [row["name"] for row in about_settings()] == list(SETTINGS)
    assert {setting.group for setting in SETTINGS.values()} == set(GROUPS)
    for setting in SETTINGS.values():
        assert f"### {setting.label}\n" in TEXTS["settings.md"]
        assert setting.help in TEXTS["settings.md"]
    for name in PRESETS:
        assert f"| `{name}` |" in TEXTS["settings.md"]
    for words in COMMANDS:
        assert f"| `ldam-studio {words}` |" in TEXTS["command-line.md"]


def test_the_lists_are_written_between_their_marks(tmp_path, capsys):
    for name in guide.LISTS:
        begin, end = guide.MARKS
        (tmp_path / name).write_text(f"# Title\n\n{begin}\nWhat stood here.\n{end}\n\nAfter.\n")
    assert guide.run(argparse.Namespace(out=tmp_path)) == 0
    text = (tmp_path / "settings.md").read_text(encoding="utf-8")
    assert text.startswith("# Title\n") and text.endswith("\n\nAfter.\n")
    assert markdown() in text and "What stood here" not in text


def test_a_page_without_marks_or_that_is_missing_is_one_sentence(tmp_path):
    with pytest.raises(StudioError, match=r"settings\.md cannot be read"):
        guide.run(argparse.Namespace(out=tmp_path))
    (tmp_path / "settings.md").write_text("# Settings\n")
    with pytest.raises(StudioError, match=r"settings\.md needs a line"):
        guide.run(argparse.Namespace(out=tmp_path))


def test_info_prints_the_settings_in_both_forms(capsys):
    assert main(["info", "--settings"]) == 0
    assert capsys.readouterr().out.strip() == markdown()
    assert main(["info", "--settings", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == about_settings()


def test_the_contents_list_every_page():
    listed = [target for _, target in LINK.findall(TEXTS["index.md"])]
    assert sorted([*listed, "index.md"]) == sorted(TEXTS)


@pages
def test_every_link_and_picture_is_there(path):
    for is_picture, target in LINK.findall(TEXTS[path.name]):
        if not target.startswith("https://"):
            found = (path.parent / target).resolve()
            assert found.is_file(), target
            # A wheel carries these two folders and no other.
            assert found.relative_to(ROOT).parts[0] in ("resources", "models")
        else:
            assert not is_picture, "a picture must travel with the program"


@pages
def test_every_command_line_can_be_typed(path):
    for line in command_lines(TEXTS[path.name]):
        words = shlex.split(line)
        if words[0] == "make":
            words = ["", "studio", *shlex.split(words[2].removeprefix("ARGS="))]
        if words[1:] and words[1:] not in (words.split() for words in COMMANDS):
            assert build_parser().parse_args(with_command(words[1:])).run, line


def test_there_are_command_lines_to_check():
    assert sum(len(command_lines(text)) for text in TEXTS.values()) > 20


@pages
def test_pages_have_no_markup_that_the_help_window_cannot_show(path):
    text = re.sub(r"```.*?```|`[^`]*`|<!--.*?-->", "", TEXTS[path.name], flags=re.DOTALL)
    assert "<" not in text, "Qt's reader of Markdown loses what follows a tag"
    assert text.startswith("# ")


def test_the_method_takes_five_sentences():
    sentences = re.findall(r"^\d\. (.*)$", TEXTS["method.md"], re.MULTILINE)
    assert len(sentences) == 5
    assert all(sentence.count(".") == 1 for sentence in sentences)


def test_the_callback_for_lightning_writes_checkpoints(tmp_path, monkeypatch):
    """With a trainer that only calls as Lightning does: that itself is not needed here."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXTS["watching.md"], re.DOTALL)
    (code,) = (block for block in blocks if "lightning.Callback" in block)
    names = {
        "lightning": SimpleNamespace(Callback=object),
        "CheckpointWriter": CheckpointWriter,
    }
    exec(code, names)
    watch, module = names["Watch"](), nn.Linear(2, 1)
    for step in range(1, 402):
        loss = module(torch.ones(1, 2)).sum()
        watch.on_train_batch_end(
            SimpleNamespace(global_step=step, current_epoch=0), module, {"loss": loss}, None, step
        )
    written = at_rest(tmp_path / "checkpoints").look().checkpoints
    assert [checkpoint.step for checkpoint in written] == [200, 400]
    assert written[-1].loss == pytest.approx(loss.item())
    averaged = at_rest(tmp_path / "checkpoints" / "averaged").look()
    assert len(averaged.checkpoints) == 2
