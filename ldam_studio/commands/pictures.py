"""``ldam-studio pictures``: makes the pictures in the README."""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch  # noqa: F401 - Windows needs torch's libraries loaded before Qt's
from PIL import Image, ImageDraw, ImageFont

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.picture import Bytes, enlarge, grid, to_bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError

SETTLE = 400  # number of steps before the melt, until digits have formed
MELT = 60  # number of steps at 100 times the temperature
COLLAPSE = 340  # number of steps after the melt
BEFORE = 40  # number of steps before the melt that are shown
EVERY = 5  # number of steps from one picture of the animation to the next
FRAME_MS = 70
ZOOM = 3
GREYS = 32
SIZE = (1280, 820)
WORDS_AT = 15  # height of the text, in pixels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``ldam-studio pictures``."""
    parser.add_argument("--out", type=Path, default=Path("resources/readme"), help="output folder")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")


def run(args: argparse.Namespace) -> int:
    """Make the screenshot and the animation; return the exit code.

    Raises
    ------
    StudioError
        If a picture cannot be written.
    """
    args.out.mkdir(parents=True, exist_ok=True)
    for path, data in (
        (args.out / "melt.webp", animation()),
        (args.out / "studio.png", screenshot(args.theme)),
    ):
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StudioError(f"{path} cannot be written ({error.strerror}).") from error
        print(f"{path}: {len(data) / 1000:,.0f} kB")
    return 0


def animation() -> bytes:
    """Return a WebP animation: ten digits melt and collapse into other digits."""
    from ldam_studio.gui.session.openings import start

    pictures = [Image.fromarray(sheet) for sheet in _melting(start(Device()).make())]
    data = io.BytesIO()
    pictures[0].save(
        data,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=[FRAME_MS] * (len(pictures) - 1) + [1500],
        loop=0,
        lossless=True,
        quality=80,
        method=4,
    )
    return data.getvalue()


def _melting(state: SessionState) -> Iterator[Bytes]:
    """Run a session and yield a sheet of its raw samples every `EVERY` steps."""
    for step in range(SETTLE + MELT + COLLAPSE):
        changes = [Change("melt", MELT)] if step == SETTLE else []
        state, _ = advance(state, changes)
        if step >= SETTLE - BEFORE and step % EVERY == 0:
            yield _sheet(state)


def _sheet(state: SessionState) -> Bytes:
    lane = state.lane
    images = lane.chains.x.cpu().numpy()
    pixels = lane.network.pixels
    sheet = enlarge(grid([to_bytes(image, pixels, "image") for image in images], 5, 2), ZOOM)
    # With few grey levels, noise compresses better.
    sheet = (np.round(sheet / 255 * (GREYS - 1)) * 255 / (GREYS - 1)).astype(np.uint8)
    temperature = float(lane.parameters.temperature[0])
    words = f"step {state.step}    temperature {temperature:g}"
    if state.melting:
        words += "    melting"
    band = Image.new("RGB", (sheet.shape[1], WORDS_AT + 11), (20, 20, 20))
    font = ImageFont.load_default(WORDS_AT)
    colour = (255, 199, 90) if state.melting else (200, 204, 210)
    ImageDraw.Draw(band).text((6, 4), words, fill=colour, font=font)
    return np.concatenate((np.asarray(band), sheet))


def screenshot(look: str) -> bytes:
    """Return a PNG of the whole window with its first session, once digits have formed."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from ldam_studio.gui.app.screenshot import grab_window

    data = io.BytesIO()
    picture = Image.open(io.BytesIO(grab_window(SIZE, look, SETTLE))).convert("RGB")
    picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        data, "PNG", optimize=True
    )
    return data.getvalue()
