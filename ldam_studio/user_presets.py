"""The presets that the user has saved, in addition to those of the program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from ldam_studio.errors import StudioError, plain
from ldam_studio.files import read_state, state_folder, write_state
from ldam_studio.sampler.former_settings import as_today
from ldam_studio.sampler.presets import PRESETS, Preset, find_preset
from ldam_studio.sampler.settings import Settings

VERSION = 1
MOST = 1000
LONGEST = 40  # number of letters in a name, which has to fit into a menu


class _Header(msgspec.Struct):
    """The part of the file that every version of the program reads."""

    version: int


class _SavedPreset(msgspec.Struct):
    name: str
    settings: dict[str, Any]


class _File(_Header):
    presets: Annotated[list[_SavedPreset], msgspec.Meta(max_length=MOST)]


class UserPresets:
    """The user's presets, in a file that is read again each time.

    Parameters
    ----------
    folder
        The folder of the file; it is created when something is saved.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (state_folder() if folder is None else folder) / "presets.json"

    def read(self) -> dict[str, Preset]:
        """Return the saved presets in alphabetical order; `StudioError` if the file is damaged."""
        if not self.path.exists():
            return {}
        try:
            content = json.loads(read_state(self.path))
            if msgspec.convert(content, _Header).version != VERSION:
                raise ValueError("another version of the program wrote it")
            saved = msgspec.convert(content, _File).presets
            made = [_preset(_free(plain(each.name, LONGEST)), each.settings) for each in saved]
        except (StudioError, ValueError, RecursionError, msgspec.ValidationError) as error:
            raise StudioError(
                f"Your presets in {self.path} cannot be read ({error}); repair or remove the file."
            ) from None
        return {preset.name: preset for preset in sorted(made, key=lambda p: p.name.casefold())}

    def all(self) -> dict[str, Preset]:
        """Return the program's presets, then the user's; raises as `read` does."""
        return PRESETS | self.read()

    def find(self, name: str) -> Preset:
        """Return a preset of the program or the user; `StudioError` if there is none."""
        wanted = name.strip().casefold()
        # The program's presets can be used even if the file is damaged.
        return find_preset(name, PRESETS if wanted in PRESETS else self.all())

    def save(self, name: str, settings: Mapping[str, Any]) -> Preset:
        """Save settings, values by name, as a preset; it replaces one with the same name.

        Raises
        ------
        StudioError
            If the name is empty, too long or one of the program's, a value is out of range, there
            are `MOST` others, or the file cannot be written.
        """
        preset = _preset(_name(name), settings)
        others = [p for p in self.read().values() if not _same(p.name, preset.name)]
        if len(others) >= MOST:
            raise StudioError(f"You have {MOST:,} presets, the most that are kept; delete one.")
        self._write([*others, preset])
        return preset

    def rename(self, name: str, new: str) -> None:
        """Rename one of the user's presets; `StudioError` if the new name cannot be used."""
        presets = self.read()
        new = _name(new)
        if any(_same(new, other) for other in presets if other != name):
            raise StudioError(f"There is already a preset {new!r}; choose another name.")
        changed = replace(find_preset(name, presets), name=new, label=new)
        self._write([p for p in presets.values() if p.name != name] + [changed])

    def remove(self, name: str) -> None:
        """Delete one of the user's presets."""
        self._write([p for p in self.read().values() if p.name != name])

    def _write(self, presets: list[Preset]) -> None:
        kept = _File(VERSION, [_SavedPreset(p.name, dict(p.settings)) for p in presets])
        write_state(self.path, json.dumps(msgspec.to_builtins(kept), indent=1).encode())


def _preset(name: str, settings: Mapping[str, Any]) -> Preset:
    """Return a preset of the user; `StudioError` if a setting or its value is wrong."""
    today = as_today(settings)
    if "mode" in today:  # in 0.1.0 it decided the kernel too
        today.setdefault("kernel", "langevin")
    checked = Settings.of(**today)
    values = {key: getattr(checked, key) for key in today}
    return Preset(name, name, "Settings that you saved.", values)


def _free(name: str) -> str:
    """Return the preset's name, changed if a later version of the program uses it itself."""
    return f"{name} (yours)" if any(_same(name, taken) for taken in PRESETS) else name


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST:
        raise StudioError(f"A preset's name must have 1 to {LONGEST} letters, not {len(name)}.")
    if any(_same(name, taken) for taken in PRESETS):
        raise StudioError(f"{name!r} is a preset of the program; choose another name.")
    return name


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
