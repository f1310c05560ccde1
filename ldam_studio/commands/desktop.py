"""``ldam-studio desktop``: tells the desktop about the studio and its session files."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import write_together

ENTRY, KINDS, ICON = "ldam-studio.desktop", "ldam-studio.xml", "ldam-studio.svg"
LISTS = (
    ("update-mime-database", "shared-mime-info", "mime"),
    ("update-desktop-database", "desktop-file-utils", "applications"),
)
"""Programs that let the desktop read its folders again, their packages, and the folders."""
NEEDS_QUOTES = set(" \t\n\"'\\><~|&;$*?#()`")  # in the line Exec of an entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio desktop``."""
    parser.add_argument(
        "--remove", action="store_true", help="remove what this command has installed"
    )


def run(args: argparse.Namespace) -> int:
    """Install or remove the entry, the kind of file and the icon of this user.

    Raises
    ------
    StudioError
        If this is no desktop that follows freedesktop.org, or a file cannot be written.
    """
    if sys.platform in ("win32", "darwin"):
        raise StudioError(
            "ldam-studio desktop is for Linux; on this system, choose the studio in the menu Open "
            "With of a session file."
        )
    folder = data_folder()
    files = installed_files(folder)
    if args.remove:
        for path in files:
            path.unlink(missing_ok=True)
    else:
        write_together(files)
    for path in files:
        print(f"{'removed' if args.remove else 'wrote'} {path}")
    for program, package, part in LISTS:
        if not shutil.which(program):
            print(f"{program} is missing: install {package}, and run this command again")
        elif (folder / part).is_dir():
            subprocess.run([program, folder / part], check=False, capture_output=True)
    return 0


def data_folder() -> Path:
    """Return the folder in which a user's desktop looks for programs."""
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"


def installed_files(folder: Path) -> Mapping[Path, bytes]:
    """Return the files that are installed in `folder`, with their content."""
    entry = asset("resources", ENTRY).read_text(encoding="utf-8")
    entry = entry.replace("Exec=ldam-studio ", f"Exec={_command()} ")
    icons = folder / "icons" / "hicolor" / "scalable"
    icon = asset("resources", "icons", ICON).read_bytes()
    return {
        folder / "applications" / ENTRY: entry.encode(),
        folder / "mime" / "packages" / KINDS: asset("resources", KINDS).read_bytes(),
        icons / "apps" / ICON: icon,
        icons / "mimetypes" / "application-x-ldam.svg": icon,
    }


def _command() -> str:
    """Return the start of the line that runs this program, wherever it is installed."""
    script = Path(sys.executable).with_name("ldam-studio")
    if script.is_file():
        return _quoted(str(script))
    return f"{_quoted(sys.executable)} -m ldam_studio"


def _quoted(path: str) -> str:
    path = path.replace("%", "%%")
    if not NEEDS_QUOTES & set(path):
        return path
    for letter in '\\"`$':
        path = path.replace(letter, f"\\{letter}")
    # A backslash is doubled once more, since it is also the escape of the entry's texts.
    return '"' + path.replace("\\", "\\\\") + '"'
