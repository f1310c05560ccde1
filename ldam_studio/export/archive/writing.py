"""Writing a session file."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec

from ldam_studio import __version__
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.archive.contents import (
    ABOUT,
    FORMAT,
    MOST_MEMBERS,
    PART,
    SESSION,
    WINDOW,
    Contents,
    Member,
    most_bytes,
)
from ldam_studio.export.filmstrip.pins import FOLDER as FILMSTRIP
from ldam_studio.export.filmstrip.pins import INDEX
from ldam_studio.export.recipe import lessons_hash
from ldam_studio.export.session_file import MOST_BYTES, stream_session
from ldam_studio.files import is_regular, write_durably
from ldam_studio.memory import in_words
from ldam_studio.progress import tell


def write_archive(
    path: Path, state: SessionState, window: bytes, filmstrip: Path | None = None
) -> None:
    """Write a session file, whole or not at all.

    Parameters
    ----------
    window
        JSON that says how the window shows the session.
    filmstrip
        The folder of the filmstrip, which need not exist.

    Raises
    ------
    StudioError
        If the file cannot be written; one that was there before stays as it was.
    """

    def write(to: Path) -> None:
        with ZipFile(to, "w") as archive, TemporaryDirectory(prefix=".", dir=to.parent) as folder:
            session = Path(folder) / SESSION
            tell("writing the session")
            stream_session(state, session, path.parent)
            members = {SESSION: _copied(archive, SESSION, session)}
            session.unlink()
            members[WINDOW] = _written(archive, WINDOW, window)
            for name, file in _pinned(filmstrip):
                with suppress(FileNotFoundError):  # a pin that was deleted meanwhile
                    members[name] = _copied(archive, name, file)
            said = Contents(FORMAT, "LDAM Studio", __version__, members, lessons_hash(state))
            _written(archive, ABOUT, msgspec.json.format(msgspec.json.encode(said), indent=1))
        if to.stat().st_size > MOST_BYTES:
            raise StudioError(
                f"{path} was not saved: a session file has at most {in_words(MOST_BYTES)}; remove "
                "frames from the filmstrip, or chains."
            )

        tell("finishing the session file")  # the last moment at which it can be stopped

    write_durably(path, write, private=False)


def _pinned(folder: Path | None) -> list[tuple[str, Path]]:
    """Return the names and files of a filmstrip; others in its folder are left where they are.

    The list comes first: of what it names, everything is there.
    """
    if folder is None or not folder.is_dir():
        return []
    files = sorted(folder.iterdir(), key=lambda file: (file.name != INDEX, file.name))
    found = [(f"{FILMSTRIP}/{file.name}", file) for file in files]
    usual = [(name, file) for name, file in found if most_bytes(name) is not None]
    return [(n, file) for n, file in usual if is_regular(file)][: MOST_MEMBERS - 2]


def _copied(archive: ZipFile, name: str, file: Path) -> Member:
    """Copy a file into the archive, as it is."""
    total = file.stat().st_size
    digest, size = hashlib.sha256(), 0
    what = "session" if name == SESSION else FILMSTRIP
    about = _about(name, ZIP_STORED)
    about.file_size = total  # so that the archive knows whether large sizes are needed
    with file.open("rb") as source, archive.open(about, "w") as target:
        while part := source.read(min(PART, total - size)):
            tell(f"saving the {what} (MB)", size // 10**6, total // 10**6)
            target.write(part)
            digest.update(part)
            size += len(part)
    return Member(size, digest.hexdigest())


def _written(archive: ZipFile, name: str, data: bytes) -> Member:
    archive.writestr(_about(name, ZIP_DEFLATED), data)
    return Member(len(data), hashlib.sha256(data).hexdigest())


def _about(name: str, kind: int) -> ZipInfo:
    """Return a member's entry with no time of its own, so that equal sessions are equal files."""
    about = ZipInfo(name)
    about.compress_type = kind
    return about
