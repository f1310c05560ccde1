"""Reading a session file, which may come from a stranger.

Everything in it is checked before anything is used: which members there are, their sizes, kinds and
hashes. Session files of earlier versions, which are a single safetensors file, are read as well.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import Reference, SessionDescription, parse_session
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError, plain
from ldam_studio.export.archive.contents import (
    ABOUT,
    MOST_OF_ABOUT,
    SESSION,
    WINDOW,
    Contents,
    Member,
    damaged,
    is_of_its_kind,
    most_bytes,
    read_contents,
    wanted,
)
from ldam_studio.export.archive.members import Members, opened_members
from ldam_studio.export.filmstrip.pins import FOLDER as FILMSTRIP
from ldam_studio.export.filmstrip.pins import MOST_BYTES as MOST_OF_FILMSTRIP
from ldam_studio.export.locate import Nearby
from ldam_studio.export.session_file import MOST_BYTES, about_session, session_of
from ldam_studio.files import LONGEST_NAME, MOST_OF_STATE, opened, read_bytes
from ldam_studio.memory import enough_for
from ldam_studio.networks.weights.reading.zips import MEMBER
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
            self._session(), self.path, device, opener=nearby, folder=self.path.parent, own=own
        )

    def _session(self) -> bytes | memoryview:
        """Return the session's bytes, read again and checked."""
        said = self.contents.members[SESSION]
        if self.contents.format:
            with opened_members(self.path) as members:
                return members.whole(SESSION, said)
        data = _read_single(self.path)
        if hashlib.sha256(data).hexdigest() != said.sha256:
            raise StudioError(f"{self.path} was changed since it was checked; open it again.")
        return data

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
        with opened_members(self.path) as members:
            try:
                within.mkdir(mode=0o700)
                for number, name in enumerate(self.pinned):
                    tell("unpacking the filmstrip", number, len(self.pinned))
                    with open(within / name.removeprefix(f"{FILMSTRIP}/"), "xb") as file:
                        file.writelines(members.parts(name, self.contents.members[name]))
                os.replace(within, folder / FILMSTRIP)
            except OSError as error:
                raise StudioError(
                    f"The filmstrip of {self.path} cannot be written to {folder} "
                    f"({error.strerror or error}); free some space and open the file again."
                ) from None
            finally:
                shutil.rmtree(within, ignore_errors=True)


def read_saved(path: Path) -> SavedSession:
    """Read a session file, without opening its session.

    Raises
    ------
    StudioError
        If it is no session file, was saved by a later version, or has been changed.
    """
    tell("reading the session file")
    with opened(path) as file:
        is_single = file.read(len(MEMBER)) != MEMBER
        if not is_single:
            return _read_members(Members(file, path), path)
    data = _read_single(path)
    own = Member(len(data), hashlib.sha256(data).hexdigest())
    return SavedSession(path, Contents(0, "", "", {SESSION: own}), _described(data, path))


def _read_members(members: Members, path: Path) -> SavedSession:
    contents = read_contents(members.small(ABOUT, MOST_OF_ABOUT), str(path))
    if members.names - {ABOUT} != contents.members.keys():
        raise damaged(str(path))
    if not {SESSION, WINDOW} <= contents.members.keys():
        raise damaged(str(path))
    strip = [each.size for name, each in contents.members.items() if name.startswith(FILMSTRIP)]
    if sum(strip) > MOST_OF_FILMSTRIP + MOST_OF_STATE:
        raise StudioError(f"The filmstrip in {path} is larger than any; it is not opened.")
    starts = {}
    for number, (name, said) in enumerate(contents.members.items()):
        most = most_bytes(name)
        if most is None or said.size > most:
            raise StudioError(
                f"{path} has {plain(name, LONGEST_NAME)} in it, which no session file has, or not "
                "of that size; it is not opened."
            )
        start = bytearray()
        for part in members.parts(name, said):
            tell("checking the session file", number, len(contents.members))
            if len(start) < wanted(name, start):
                start += part
        if not is_of_its_kind(name, start, said.size):
            raise damaged(str(path))
        if name in (SESSION, WINDOW):
            starts[name] = bytes(start)
    return SavedSession(path, contents, _described(starts[SESSION], path), starts[WINDOW])


def _read_single(path: Path) -> bytes:
    """Return the content of a session file of an earlier version."""
    with enough_for(f"The session file {path}", "close other programs"):
        return read_bytes(path, MOST_BYTES)


def _described(data: bytes, path: Path) -> SessionDescription:
    try:
        return parse_session(about_session(data)["about"]["session"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged(str(path)) from None
