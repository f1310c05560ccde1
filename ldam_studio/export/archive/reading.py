"""Reading a session file, which may come from a stranger.

Everything in it is checked before anything is used: which members there are, their sizes, kinds and
hashes. Session files of earlier versions, which are a single safetensors file, are read as well.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import Reference, SessionDescription, parse_session
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.archive.contents import (
    ABOUT,
    SESSION,
    WINDOW,
    Contents,
    Member,
    damaged,
    is_of_its_kind,
    most_bytes,
    read_contents,
)
from ldam_studio.export.filmstrip.pins import FOLDER as FILMSTRIP
from ldam_studio.export.locate import Nearby
from ldam_studio.export.session_file import MOST_BYTES, about_session, session_of
from ldam_studio.files import LONGEST_NAME, is_regular, read_bytes
from ldam_studio.memory import enough_for, free_bytes, require
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.reading.zips import MEMBER, Archive
from ldam_studio.progress import tell


@dataclass(frozen=True)
class SavedSession:
    """A session file that was read and checked; its session is not opened yet.

    Attributes
    ----------
    contents
        What it says of itself; of a single safetensors file, what it would say.
    described
        The session's networks, neurons and settings.
    window
        How the window shows it, as JSON; empty if it does not say.
    """

    path: Path
    contents: Contents
    described: SessionDescription
    window: bytes = b""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The networks and the discriminator that its session needs."""
        found = (*(lane.network for lane in self.described.lanes), self.described.discriminator)
        return tuple(one for one in found if one is not None)

    @property
    def pinned(self) -> list[str]:
        """The names of the members that are the filmstrip."""
        return [name for name in self.contents.members if name.startswith(f"{FILMSTRIP}/")]

    def check_lessons(self, nearby: Nearby) -> None:
        """Raise `StudioError` if a discriminator would learn from images that nobody named."""
        said, hashed = self.described, self.contents.real_images
        if hashed is not None or said.learn_every or said.discriminator_rounds:
            nearby.check_data(said.data, hashed)

    def session(self, nearby: Nearby, device: Device | None = None) -> SessionState:
        """Open the session; on the machine where it was saved, it goes on bit for bit.

        Parameters
        ----------
        nearby
            Opens its networks and its discriminator.
        device
            Where to go on; None for the recorded device.

        Raises
        ------
        StudioError
            If the file has changed since it was checked, or weights are missing or have changed.
        """
        self.check_lessons(nearby)
        own = {"sidecar": {"file": self.path.name, "sha256": self.contents.members[SESSION].sha256}}
        return session_of(
            bytes(self._again([SESSION])[SESSION]),
            self.path,
            device,
            opener=nearby,
            folder=self.path.parent,
            own=own,
        )

    def unpack_filmstrip(self, folder: Path) -> None:
        """Write the filmstrip into `folder`, whole or not at all; nothing if there is none.

        Raises
        ------
        StudioError
            If the file has changed since it was checked, or the folder cannot be written to.
        """
        if not self.pinned:
            return
        within = folder / f".{FILMSTRIP}.{secrets.token_hex(6)}"
        try:
            within.mkdir(mode=0o700)
            for name, data in self._again(self.pinned).items():
                tell("unpacking the filmstrip")
                (within / name.removeprefix(f"{FILMSTRIP}/")).write_bytes(data)
            os.replace(within, folder / FILMSTRIP)
        except OSError as error:
            raise StudioError(
                f"The filmstrip of {self.path} cannot be written to {folder} "
                f"({error.strerror or error}); free some space and open the file again."
            ) from None
        finally:
            shutil.rmtree(within, ignore_errors=True)

    def _again(self, names: Iterable[str]) -> dict[str, memoryview]:
        """Return some members, read again and checked."""
        data = _read(self.path)
        if not _is_archive(data):
            return {SESSION: _checked(SESSION, memoryview(data), self.contents, self.path)}
        archive = _opened(data, self.path)
        return {
            name: _checked(name, _member(archive, name, self.path), self.contents, self.path)
            for name in names
        }


def read_saved(path: Path) -> SavedSession:
    """Read a session file, without opening its session.

    Raises
    ------
    StudioError
        If it is no session file, was saved by a later version, or has been changed.
    """
    tell("reading the session file")
    data = _read(path)
    if not _is_archive(data):
        own = Member(len(data), hashlib.sha256(data).hexdigest())
        return SavedSession(
            path, Contents(0, "", "", {SESSION: own}), _described(memoryview(data), path)
        )
    archive = _opened(data, path)
    contents = read_contents(bytes(_member(archive, ABOUT, path)), str(path))
    if archive.members.keys() - {ABOUT} != contents.members.keys():
        raise damaged(str(path))
    for number, name in enumerate(contents.members):
        tell("checking the session file", number, len(contents.members))
        most = most_bytes(name)
        if most is None or contents.members[name].size > most:
            raise StudioError(
                f"{path} has {name} in it, which no session file has, or not of that size; it is "
                "not opened."
            )
        if not is_of_its_kind(name, _checked(name, _member(archive, name, path), contents, path)):
            raise damaged(str(path))
    if not {SESSION, WINDOW} <= contents.members.keys():
        raise damaged(str(path))
    window = bytes(_member(archive, WINDOW, path))
    return SavedSession(path, contents, _described(_member(archive, SESSION, path), path), window)


def _read(path: Path) -> bytes:
    with enough_for(f"The session file {path}", "close other programs"):
        if is_regular(path):
            require(
                f"The session file {path} needs",
                path.stat().st_size,
                free_bytes(),
                "close other programs",
            )
        return read_bytes(path, MOST_BYTES)


def _is_archive(data: bytes) -> bool:
    return data.startswith(MEMBER)


def _opened(data: bytes, path: Path) -> Archive:
    try:
        return Archive(data)
    except Unreadable as error:
        raise StudioError(f"{path} {error}; use the file as it was saved.") from None


def _member(archive: Archive, name: str, path: Path) -> memoryview:
    try:
        return memoryview(archive.read(name))
    except Unreadable as error:
        raise StudioError(
            f"{name[:LONGEST_NAME]} in {path} {error}; use the file as it was saved."
        ) from None


def _checked(name: str, data: memoryview, contents: Contents, path: Path) -> memoryview:
    """Return a member's data; raises `StudioError` if it is not what the file says it is."""
    said = contents.members[name]
    if len(data) != said.size or hashlib.sha256(data).hexdigest() != said.sha256:
        raise StudioError(
            f"{name} in {path} was changed after it was saved; use the file as it was saved."
        )
    return data


def _described(data: memoryview, path: Path) -> SessionDescription:
    try:
        return parse_session(about_session(data)["about"]["session"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged(str(path)) from None
