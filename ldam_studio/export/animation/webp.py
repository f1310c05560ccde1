"""Animated WebP, see RFC 9649: one ANMF chunk for each picture, which Pillow compresses."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from ldam_studio.export.animation.pictures import Pictures
from ldam_studio.export.animation.trail import Trail

ANIMATED = 2  # the flag in VP8X
OPAQUE = 2  # the flag of a picture that takes the place of the one before
IMAGE = (b"ALPH", b"VP8 ", b"VP8L")
DURATION = 20  # bytes from the beginning of an ANMF chunk


class WebP(Pictures):
    """A WebP animation without loss, which repeated pixels of enlarged pictures make small."""

    longest = 2**24 - 1

    def head(self) -> bytes:
        """Return the headers: extended format, and playing for ever on black."""
        width, height = self.size
        extended = bytes([ANIMATED, 0, 0, 0]) + _three(width - 1) + _three(height - 1)
        body = b"WEBP" + _chunk(b"VP8X", extended) + _chunk(b"ANIM", bytes(6))
        return b"RIFF" + len(body).to_bytes(4, "little") + body

    def record(self, picture: Image.Image, duration: int) -> bytes:
        """Return an ANMF chunk."""
        file = BytesIO()
        # With few colours, the better way is also fast; with many it takes ten times as long.
        few = picture.getcolors(256) is not None
        picture.save(file, "WEBP", lossless=True, quality=50, method=4 if few else 0)
        image = b"".join(_chunk(name, data) for name, data in _chunks(file.getvalue()))
        width, height = self.size
        about = bytes(6) + _three(width - 1) + _three(height - 1) + _three(duration)
        return _chunk(b"ANMF", about + bytes([OPAQUE]) + image)

    def count(self, trail: Trail) -> None:
        """Write the size of the whole; readers ignore what is beyond it."""
        trail.patch(4, (trail.size - 8).to_bytes(4, "little"))

    def last(self, trail: Trail, place: int, duration: int) -> None:
        """Write the duration of the last chunk."""
        trail.patch(place + DURATION, _three(duration))


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of the chunks of a still WebP that hold its image."""
    at = 12
    while at < len(file):
        name, size = file[at : at + 4], int.from_bytes(file[at + 4 : at + 8], "little")
        if name in IMAGE:
            yield name, file[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
