"""How a run shows itself in a notebook."""

from __future__ import annotations

import base64
import html as markup
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ldam_studio.engine.picture import Bytes, Floats, enlarge, grid, to_bytes
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.scripting.run import Run

MOST_SHOWN = 40
"""Chains in the pictures; the arrays have all."""
SIDE = 96
"""Smaller images are enlarged to about this many pixels."""
GAP = 8
MOST_COLUMNS = 10


def title(run: Run) -> str:
    """Return network, neurons, chains and steps in one line."""
    named = list(dict.fromkeys(run.neurons))
    neurons = ", ".join(named) if len(named) <= 3 else f"{named[0]} to {named[-1]}"
    chains = len(run.neurons)
    return (
        f"{run.network} {neurons}: {chains} chain{'s' * (chains > 1)}, {run.steps:,} steps, "
        f"seed {run.seed}"
    )


def png(run: Run) -> bytes:
    """Return the raw samples and the averages below them, as PNG."""
    both = [_drawn(run, run.samples), _drawn(run, run.average)]
    return _encoded(grid(both, 1, GAP))


def html(run: Run) -> str:
    """Return title, raw samples, averages, notes and the settings that are not the default."""
    own = [(name, value) for name, value in run.settings.items() if value != SETTINGS[name].default]
    rows = "".join(
        f"<tr><td><code>{name}</code></td><td>{_text(value)}</td></tr>" for name, value in own
    )
    table = f"<table>{rows}</table>" if own else "<p>All settings have their default values.</p>"
    left = len(run.neurons) - MOST_SHOWN
    more = [f"{left} further chains are not shown."] if left > 0 else []
    notes = "".join(f"<p>{_text(note)}</p>" for note in (*run.notes, *more))
    pictures = "".join(
        f'<figure style="display:inline-block;margin:0 1em 0 0"><img alt="{_text(name)}" '
        f'src="data:image/png;base64,{base64.b64encode(_encoded(picture)).decode()}">'
        f"<figcaption>{name}</figcaption></figure>"
        for name, picture in (
            ("raw", _drawn(run, run.samples)),
            ("average", _drawn(run, run.average)),
        )
    )
    return f"<div><p><b>{_text(title(run))}</b></p>{pictures}{notes}{table}</div>"


def _text(value: object) -> str:
    return markup.escape(f"{value:g}" if isinstance(value, float) else str(value))


def _drawn(run: Run, images: Floats) -> Bytes:
    pixels = run._lane.network.pixels
    pictures = [to_bytes(image, pixels) for image in images[:MOST_SHOWN]]
    rows = grid(pictures, min(len(pictures), MOST_COLUMNS))
    return enlarge(rows, max(1, SIDE // max(images.shape[2:])))


def _encoded(picture: Bytes) -> bytes:
    file = BytesIO()
    Image.fromarray(np.asarray(picture)).save(file, "PNG")
    return file.getvalue()
