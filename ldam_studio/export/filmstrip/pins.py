"""The pins of a filmstrip, and the file that lists them."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ldam_studio.engine.description import MOST_CHAINS, Count
from ldam_studio.errors import StudioError, plain

FOLDER, INDEX = "filmstrip", "filmstrip.json"
"""The folder inside that of a session, and the list in it."""
DELETED = "filmstrip-deleted"
"""The folder beside it with pins whose deletion can be undone."""
VERSION = 1
MOST_PINS = 200
MOST_BYTES = 2**29
"""Pins of a filmstrip, and bytes of all of its files."""
MOST_NOTE, MOST_NAME = 2000, 500
"""Letters of a note, and of other words."""
Words = Annotated[str, Meta(max_length=MOST_NAME)]
ID = r"\A[0-9a-f]{12}\Z"  # with ``$`` a line break might follow


class Pin(Struct, frozen=True):
    """One moment. Its picture is in ``<id>.png``, its session in ``<id>.safetensors``.

    Attributes
    ----------
    id
        Twelve hexadecimal digits.
    step
        The step of the session.
    neuron
        What the front chain showed, in words.
    title
        The title of the session.
    when
        When it was pinned, in seconds since the epoch.
    front
        The number of the front chain.
    """

    id: Annotated[str, Meta(pattern=ID)]
    step: Count
    neuron: Words = ""
    title: Words = ""
    when: Annotated[float, Meta(ge=0, le=2**36)] = 0.0
    front: Annotated[int, Meta(ge=0, lt=MOST_CHAINS)] = 0
    note: Annotated[str, Meta(max_length=MOST_NOTE)] = ""
    star: bool = False

    def with_note(self, note: str) -> Pin:
        """Return the pin with another note, on one line."""
        return msgspec.structs.replace(self, note=" ".join(note.split())[:MOST_NOTE])

    def with_star(self, star: bool) -> Pin:
        """Return the pin with a star or without."""
        return msgspec.structs.replace(self, star=star)


def is_id(text: str) -> bool:
    """Return whether this is the id of a pin."""
    return re.search(ID, text) is not None


class _Version(Struct):
    version: Any = None


class _Index(Struct):
    version: int
    pins: Annotated[tuple[Pin, ...], Meta(max_length=MOST_PINS)]


def encoded(pins: tuple[Pin, ...]) -> bytes:
    """Return the list of a filmstrip as JSON."""
    return msgspec.json.format(msgspec.json.encode(_Index(VERSION, pins)), indent=1)


def decoded(data: bytes) -> tuple[Pin, ...]:
    """Return the pins in a list, in their order.

    Raises
    ------
    StudioError
        If it is damaged or of a later version.
    """
    try:
        if msgspec.json.decode(data, type=_Version).version != VERSION:
            raise StudioError("The list of the filmstrip is of a later version of the program")
        pins = msgspec.json.decode(data, type=_Index).pins
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise StudioError("The list of the filmstrip is damaged") from None
    if len({pin.id for pin in pins}) < len(pins):
        raise StudioError("The list of the filmstrip names a pin twice")
    return tuple(_with_plain_words(pin) for pin in pins)


def _with_plain_words(pin: Pin) -> Pin:
    """Return a pin whose words, which may be a stranger's, can be shown anywhere."""
    return msgspec.structs.replace(
        pin,
        neuron=plain(pin.neuron, MOST_NAME),
        title=plain(pin.title, MOST_NAME),
        note=plain(pin.note, MOST_NOTE),
    )


def file_name(number: int, pin: Pin) -> str:
    """Return a name for the picture of the pin with this number, counted from 1."""
    words = [f"{number:03}", _name_part(pin.neuron), f"step-{pin.step}", _name_part(pin.note)]
    return "-".join(filter(None, words)) + ".png"


def _name_part(text: str) -> str:
    """Return words as a part of a file name: letters and digits, at most 60 bytes."""
    kept = "".join(letter if letter.isalnum() else " " for letter in text)
    short = "-".join(kept.split()).encode()[:60].decode(errors="ignore")
    return short.strip("-")
