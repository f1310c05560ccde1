"""Animated PNG, see the third edition of PNG: fcTL and fdAT chunks; Pillow compresses."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image

from ldam_studio.export.animation.pictures import Pictures
from ldam_studio.export.animation.trail import Trail

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BIT_RGB = bytes([8, 2, 0, 0, 0])
FRAME = ">IIIIIHHBB"  # number, size, place, duration as a fraction, and how it joins the others
COUNT = 33  # the place of acTL, after signature and IHDR


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return len(data).to_bytes(4) + name + data + check.to_bytes(4)


class Apng(Pictures):
    """An animated PNG, without loss; programs that know only PNG show its first picture."""

    trailer = _chunk(b"IEND", b"")

    _pictures = 0
    _number = 0  # of the next fcTL or fdAT chunk
    _control = 0  # number of the last fcTL chunk

    def head(self) -> bytes:
        """Return signature and headers: one picture so far, playing for ever."""
        header = struct.pack(">II", *self.size) + EIGHT_BIT_RGB
        return SIGNATURE + _chunk(b"IHDR", header) + self._count(1)

    def record(self, picture: Image.Image, duration: int) -> bytes:
        """Return a fcTL chunk and the pixels: in IDAT for the first picture, else in fdAT."""
        file = BytesIO()
        picture.save(file, "PNG")
        pixels = _pixels(file.getvalue())
        self._control = self._number
        control = self._frame(duration)
        first, self._number = self._number == 0, self._number + 1
        if first:
            return control + _chunk(b"IDAT", pixels)
        number, self._number = self._number, self._number + 1
        return control + _chunk(b"fdAT", number.to_bytes(4) + pixels)

    def count(self, trail: Trail) -> None:
        """Write the number of pictures into acTL."""
        self._pictures += 1
        trail.patch(COUNT, self._count(self._pictures))

    def last(self, trail: Trail, place: int, duration: int) -> None:
        """Write the last fcTL chunk again."""
        trail.patch(place, self._frame(duration))

    def _count(self, pictures: int) -> bytes:
        return _chunk(b"acTL", struct.pack(">II", pictures, 0))

    def _frame(self, duration: int) -> bytes:
        data = struct.pack(FRAME, self._control, *self.size, 0, 0, duration, self.ticks, 0, 0)
        return _chunk(b"fcTL", data)


def _pixels(file: bytes) -> bytes:
    """Return the compressed pixels of a PNG."""
    at, found = len(SIGNATURE), []
    while at < len(file):
        size, name = int.from_bytes(file[at : at + 4]), file[at + 4 : at + 8]
        if name == b"IDAT":
            found.append(file[at + 8 : at + 8 + size])
        at += 12 + size
    return b"".join(found)
