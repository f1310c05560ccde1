"""Animated GIF, version 89a: a colour table for each picture; Pillow compresses."""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image

from ldam_studio.export.animation.pictures import Pictures
from ldam_studio.export.animation.trail import Trail

COLOURS = 256
SAMPLED = 240
"""Pixels in a row and column of a picture from which 256 colours are chosen."""
TABLE = 0x80  # the flag of a colour table; its size is in the lowest three bits
GREYS = bytes(level for level in range(COLOURS) for _channel in range(3))
FOR_EVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
HEADER = 13  # bytes before a colour table
DURATION = 4  # bytes from the beginning of a picture


class Gif(Pictures):
    """A GIF. Up to 256 colours are exact, so grey pictures are; of more, the nearest of 256."""

    ticks = 100
    fastest = 50.0  # browsers take a hundredth of a second for a tenth
    trailer = b"\x3b"

    def head(self) -> bytes:
        """Return the headers: a common table of greys, and playing for ever."""
        screen = struct.pack("<HHBBB", *self.size, TABLE | 0x70 | 7, 0, 0)
        return b"GIF89a" + screen + GREYS + FOR_EVER

    def record(self, picture: Image.Image, duration: int) -> bytes:
        """Return a picture with its colour table, which pictures in grey do not need."""
        file = BytesIO()
        _in_few_colours(picture).save(file, "GIF", interlace=False)
        still = file.getvalue()
        bits = still[10] & 7
        table = still[HEADER : HEADER + 3 * 2 ** (bits + 1)]
        place, compressed = _image(still, HEADER + len(table))
        own = b"" if table == GREYS else table
        control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 4, duration, 0, 0)
        return control + place + bytes([TABLE | bits if own else 0]) + own + compressed

    def last(self, trail: Trail, place: int, duration: int) -> None:
        """Write the duration of the last picture."""
        trail.patch(place + DURATION, duration.to_bytes(2, "little"))


def _in_few_colours(picture: Image.Image) -> Image.Image:
    channels = picture.split()
    if channels[0] == channels[1] == channels[2]:
        return channels[0]
    if picture.getcolors(COLOURS) is not None:
        return picture.quantize(COLOURS, Image.Quantize.MEDIANCUT)
    # Colours of some of the pixels: all would take ten times as long. Dithering makes pictures
    # with noise twice as large and no better.
    few = picture.resize(
        [min(side, SAMPLED) for side in picture.size], Image.Resampling.NEAREST
    ).quantize(COLOURS, Image.Quantize.MEDIANCUT)
    return picture.quantize(palette=few, dither=Image.Dither.NONE)


def _image(still: bytes, at: int) -> tuple[bytes, bytes]:
    """Return where the image of a GIF is placed, and its compressed pixels.

    Parameters
    ----------
    at
        The end of the colour table.
    """
    while still[at] == 0x21:  # extensions, of which a still picture needs none
        at += 2
        while still[at]:
            at += 1 + still[at]
        at += 1
    return still[at : at + 9], still[at + 10 : -1]
