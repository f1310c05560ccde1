"""Reading and writing whole files, and the folder for the program's settings.

Files are written atomically: readers never see a part of a file, or only some of several files that
belong together.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import platformdirs

from ldam_studio.errors import StudioError

NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags for opening a file that may be a pipe, and on Windows for reading its bytes as they are."""
MOST_READ = 2**34
"""Largest size in bytes of a file that is read at once: the weights of a very large network."""
MOST_OF_STATE = 2**24
"""Largest size in bytes of a file in which the program keeps something for itself."""
LONGEST, LONGEST_NAME = 4096, 255
"""Letters of a path, and of one name in it, that file systems take."""
WAITS_S = (0.01, 0.03, 0.1, 0.3)
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}")  # names that `_temporary` gives


def state_folder() -> Path:
    """Return the folder for data that is kept between runs; ``LDAM_STATE_DIR`` sets another."""
    chosen = os.environ.get("LDAM_STATE_DIR")
    return Path(chosen) if chosen else platformdirs.user_state_path("ldam-studio", appauthor=False)


def cache_folder() -> Path:
    """Return the folder for what can be made again, and downloads; see ``LDAM_CACHE_DIR``."""
    chosen = os.environ.get("LDAM_CACHE_DIR")
    return Path(chosen) if chosen else platformdirs.user_cache_path("ldam-studio", appauthor=False)


def expanded(text: str) -> Path:
    """Return the path that a person writes; a "~" of nobody stays as it is."""
    return Path(os.path.expanduser(text))


def is_there(path: Path) -> bool:
    """Return whether there is a file or folder. Any text may be its name."""
    return os.path.exists(path)


def is_folder(path: Path) -> bool:
    """Return whether there is a folder. Any text may be its name."""
    return os.path.isdir(path)


def is_same(one: Path, other: Path) -> bool:
    """Return whether two names are those of the same file, which is there."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, most: int = MOST_READ) -> bytes:
    """Return the content of a regular file, which is closed at once so that others may replace it.

    Pipes and devices are refused, since they may never end.

    Parameters
    ----------
    most
        Largest size in bytes; a larger file is something else.

    Raises
    ------
    StudioError
        If there is no such file, or it cannot be read or is too large.
    """
    with opened(path) as file:
        return file.read(_size(path, file, most))


def _size(path: Path, file: BinaryIO, most: int) -> int:
    size = os.fstat(file.fileno()).st_size
    if size > most:
        raise StudioError(
            f"{path} has {size / 2**20:,.0f} MB, but such a file has at most "
            f"{most / 2**20:,.0f}; choose another."
        )
    return size


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; what is none is refused as by `read_bytes`."""
    try:
        # Opening a pipe would wait for somebody who writes to it.
        number = os.open(path, os.O_RDONLY | NO_WAITING)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise StudioError(f"{path} cannot be read (it is not a file); check the path.")
            yield file
    except FileNotFoundError:
        raise StudioError(f"There is no file {path}; check the path.") from None
    except OSError as error:
        raise StudioError(f"{path} cannot be read ({error.strerror}); check the path.") from None
    except ValueError:  # a zero byte in the path
        raise StudioError(f"{path} is not the name of a file; check the path.") from None


def read_state(path: Path) -> bytes:
    """Return the content of one of the program's own files, see `read_bytes`."""
    return read_bytes(path, MOST_OF_STATE)


def write_bytes(path: Path, data: bytes) -> None:
    """Write one file; see `write_together`."""
    write_together({path: data})


def is_regular(path: Path) -> bool:
    """Return whether there is a regular file; links are followed. Any text may be its name."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a regular file, of which only a part is in memory.

    Raises
    ------
    StudioError
        As `read_bytes` does.
    """
    digest = hashlib.sha256()
    with opened(path) as file:
        left = _size(path, file, MOST_READ)  # a file that grows ends nevertheless
        while left > 0 and (part := file.read(min(left, 2**20))):
            digest.update(part)
            left -= len(part)
    return digest.hexdigest()


def write_state(path: Path, data: bytes) -> None:
    """Write a file of the state folder, which nobody else may read; see `write_durably`."""
    write_durably(path, lambda to: to.write_bytes(data))


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be read, so that it is not overwritten; return its new name."""
    aside = path.with_name(f"{path.stem}.kept{path.suffix}")
    with contextlib.suppress(OSError):
        os.replace(path, aside)
    return aside


def write_durably(path: Path, write: Callable[[Path], object], *, private: bool = True) -> None:
    """Write one file that survives a crash of the program or of the system, whole or not at all.

    Parameters
    ----------
    write
        Writes the content to the path that it is called with, which is then renamed.
    private
        Whether nobody else may read it, nor look into its folder if that is made.

    Raises
    ------
    StudioError
        If the folder cannot be written to or the disk is full. Nothing new is left behind.
    """
    temporary = _temporary(path)
    others = 0o077 if private else 0
    try:
        _check_replaceable(path)
        path.parent.mkdir(mode=0o777 & ~others, parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 & ~others))
        write(temporary)
        if private:
            os.chmod(temporary, 0o600)  # what writes it may have made it anew
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        _replace(temporary, path)
        _sync_folder(path.parent)
    except BaseException as error:
        _remove(temporary)
        if not isinstance(error, OSError):
            raise
        raise _not_written(path, error) from None


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write files under temporary names, and rename them once all of them are on the disk.

    Raises
    ------
    StudioError
        If a folder cannot be written to or the disk is full. Nothing new is left behind.
    """
    temporaries: dict[Path, Path] = {}
    path = Path()
    try:
        for path, data in files.items():
            _check_replaceable(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporaries[path] = _temporary(path)
            # Exclusive, and with the permissions that any new file would have.
            with open(temporaries[path], "xb") as file:
                file.write(data)
            _date_back(temporaries[path])
        for path, temporary in temporaries.items():
            _replace(temporary, path)
    except BaseException as error:
        for temporary in temporaries.values():
            _remove(temporary)
        if not isinstance(error, OSError):  # for example Ctrl-C
            raise
        raise _not_written(path, error) from None


def _sync_folder(folder: Path) -> None:
    """Let a renaming survive a crash of the system, where folders can be synchronised."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def check_target(path: Path) -> None:
    """Check that a file can be written, before the work of which it is the result.

    Raises
    ------
    StudioError
        If there is something else than a file, such as a folder or a device, or its folder cannot
        be written to.
    """
    _check_replaceable(path)
    if len(os.fsencode(_temporary(path).name)) > LONGEST_NAME:
        raise StudioError(f"{path} is too long for the name of a file; choose a shorter one.")
    check_folder(path.parent)


def _check_replaceable(path: Path) -> None:
    """Raise `StudioError` if something else than a file would be renamed over."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return  # writing it says what is wrong
    if not stat.S_ISREG(about.st_mode):
        raise StudioError(f"{path} is not a file, so it cannot be replaced by one; choose another.")


def remove_temporaries(folder: Path, older_s: float = 0.0) -> None:
    """Remove what is left in a folder of files whose writing was cut off with its process.

    Parameters
    ----------
    older_s
        Seconds since the last change of a file; younger ones may still be written by others.
    """
    before = time.time() - older_s
    for path in folder.glob(".*"):
        with contextlib.suppress(OSError):
            if TEMPORARY.fullmatch(path.name) and path.stat().st_mtime < before:
                path.unlink()


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}")


def _not_written(path: Path, error: OSError) -> StudioError:
    return StudioError(
        f"{path} cannot be written ({error.strerror or error}); choose another folder or free some "
        "space."
    )


def _date_back(path: Path) -> None:
    """Set a file's modification time slightly back, so that it lies before the renaming.

    This difference shows a watcher of the folder that the file is complete
    (`networks.weights.checkpoints`). Otherwise both times could be equal, because the file system's
    clock has a limited resolution.
    """
    with contextlib.suppress(OSError):  # a file system without such times
        written = path.stat().st_mtime_ns - 1
        os.utime(path, ns=(written, written))


def _replace(source: Path, target: Path) -> None:
    """Rename a file over another one, which another program may be reading."""
    for wait in WAITS_S:
        try:
            os.replace(source, target)
        except PermissionError:
            # Only Windows refuses while another program reads the file, which ends soon.
            if sys.platform != "win32":
                raise
            time.sleep(wait)
        else:
            return
    os.replace(source, target)


def free_path(path: Path) -> Path:
    """Return the path if it is free, else the same name with the first number that is free."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def check_folder(folder: Path) -> None:
    """Create `folder` and check that files can be written to it, before any work is done.

    Raises
    ------
    StudioError
        If the folder cannot be created or written to.
    """
    probe = folder / f".{secrets.token_hex(6)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
    except OSError as error:
        raise StudioError(
            f"The folder {folder} cannot be written to ({error.strerror or error}); choose another."
        ) from None
    finally:
        _remove(probe)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Below a file, or on a read-only file system, there is nothing to remove.
        return
