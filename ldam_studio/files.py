"""Writing files so that nobody ever sees half of one, or some of several; where a person's lie."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from ldam_studio.errors import StudioError

WAITS_S = (0.01, 0.03, 0.1, 0.3)


def state_folder() -> Path:
    """Return where the program remembers; ``LDAM_STATE_DIR`` says otherwise."""
    chosen = os.environ.get("LDAM_STATE_DIR")
    return Path(chosen) if chosen else platformdirs.user_state_path("ldam-studio", appauthor=False)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files, each under a temporary name first; they are renamed once all are on the disk.

    Raises
    ------
    StudioError
        If a folder cannot be written to or the disk is full. Nothing new is left behind.
    """
    temporaries: dict[Path, Path] = {}
    path = Path()
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporaries[path] = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
            # Exclusive, and with the permissions that any new file would have.
            with open(temporaries[path], "xb") as file:
                file.write(data)
            _date_back(temporaries[path])
        for path, temporary in temporaries.items():
            _replace(temporary, path)
    except BaseException as error:
        for temporary in temporaries.values():
            _remove(temporary)
        if not isinstance(error, OSError):  # such as Ctrl-C
            raise
        raise StudioError(
            f"{path} cannot be written ({error.strerror or error}); choose another folder or make "
            "room."
        ) from None


def _date_back(path: Path) -> None:
    """Let a file's time of writing lie before that of the rename to come.

    So who watches the folder knows at once that it is complete (`networks.checkpoints`): within a
    tick of the disk's clock, both were the same.
    """
    with contextlib.suppress(OSError):  # a disk that keeps no such times
        written = path.stat().st_mtime_ns - 1
        os.utime(path, ns=(written, written))


def _replace(source: Path, target: Path) -> None:
    """Rename a file over another one, which somebody may just be reading."""
    for wait in WAITS_S:
        try:
            os.replace(source, target)
        except PermissionError:
            # Only Windows minds a reader, and readers close what they have read.
            if sys.platform != "win32":
                raise
            time.sleep(wait)
        else:
            return
    os.replace(source, target)


def check_folder(folder: Path) -> None:
    """Make `folder` and see that files can be written to it, before work is begun for them.

    Raises
    ------
    StudioError
        If not.
    """
    probe = folder / f".{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
    except OSError as error:
        raise StudioError(
            f"The folder {folder} cannot be written to ({error.strerror or error}); choose another "
            "with --out."
        ) from None
    finally:
        _remove(probe)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Below a file, or on a file system that lets nobody write, there is nothing to remove.
        return
