"""Presets that a person has saved, beside those that come with the program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, state_folder, write_bytes
from ldam_studio.sampler.presets import PRESETS, Preset, find_preset
from ldam_studio.sampler.settings import Settings, as_today

VERSION = 1
LONGEST = 40  # letters of a name: a menu shows it


class UserPresets:
    """A person's presets, in a file of their own that is read anew each time.

    Parameters
    ----------
    folder
        Where it lies; made when something is saved.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (state_folder() if folder is None else folder) / "presets.json"

    def read(self) -> dict[str, Preset]:
        """Return them by name, in alphabetical order; `StudioError` if the file is damaged."""
        if not self.path.exists():
            return {}
        try:
            found = json.loads(read_bytes(self.path))
            if found["version"] != VERSION:
                raise ValueError("another version of the program wrote it")
            made = [_preset(_free(each["name"]), each["settings"]) for each in found["presets"]]
        except (
            StudioError,
            KeyError,
            TypeError,
            ValueError,
            RecursionError,
            AttributeError,
        ) as error:
            raise StudioError(
                f"Your presets in {self.path} cannot be read ({error}); mend or remove the file."
            ) from None
        return {preset.name: preset for preset in sorted(made, key=lambda p: p.name.casefold())}

    def all(self) -> dict[str, Preset]:
        """Return the program's presets, then the person's; `StudioError` as `read` says."""
        return PRESETS | self.read()

    def find(self, name: str) -> Preset:
        """Return a preset, the program's or the person's; `StudioError` names those there are."""
        wanted = name.strip().casefold()
        # A damaged file does not keep anybody from what comes with the program.
        return find_preset(name, PRESETS if wanted in PRESETS else self.all())

    def save(self, name: str, settings: Mapping[str, Any]) -> Preset:
        """Save settings (values by name) under a name, in place of a preset of that name.

        Raises
        ------
        StudioError
            If the name is empty, too long or one of the program's, a value is out of range, or the
            file cannot be written.
        """
        preset = _preset(_name(name), settings)
        self._write([p for p in self.read().values() if not _same(p.name, preset.name)] + [preset])
        return preset

    def rename(self, name: str, new: str) -> None:
        """Give a preset of the person's another name; `StudioError` if that will not do."""
        presets = self.read()
        new = _name(new)
        if any(_same(new, other) for other in presets if other != name):
            raise StudioError(f"There is a preset {new!r} already; take another name.")
        changed = replace(find_preset(name, presets), name=new, label=new)
        self._write([p for p in presets.values() if p.name != name] + [changed])

    def remove(self, name: str) -> None:
        """Delete a preset of the person's."""
        self._write([p for p in self.read().values() if p.name != name])

    def _write(self, presets: list[Preset]) -> None:
        kept = [{"name": p.name, "settings": dict(p.settings)} for p in presets]
        write_bytes(self.path, json.dumps({"version": VERSION, "presets": kept}, indent=1).encode())


def _preset(name: str, settings: Mapping[str, Any]) -> Preset:
    """Make a person's preset; `StudioError` if a value will not do."""
    today = as_today(settings)
    checked = Settings.of(**today)
    values = {key: getattr(checked, key) for key in today}
    return Preset(name, name, "Settings that you saved.", values)


def _free(name: str) -> str:
    """Return what a preset in the file is called where the program has come to have that name."""
    return f"{name} (yours)" if any(_same(name, taken) for taken in PRESETS) else name


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST:
        raise StudioError(f"A preset's name has 1 to {LONGEST} letters, not {len(name)}.")
    if any(_same(name, taken) for taken in PRESETS):
        raise StudioError(f"{name!r} is a preset of the program; take another name.")
    return name


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
