"""The page of limits says what the code does."""

from __future__ import annotations

import pytest

from ldam_studio import errors, files
from ldam_studio.assets import asset
from ldam_studio.engine import comparison, description
from ldam_studio.engine.watching import watcher
from ldam_studio.explore.sheets import spec
from ldam_studio.export import cells, contact_sheet, links, locate, recipe, session_file, shown
from ldam_studio.export.animation import animation
from ldam_studio.export.archive import contents
from ldam_studio.export.filmstrip import folder, pins
from ldam_studio.export.formats import png
from ldam_studio.gui.session import shelf
from ldam_studio.gui.sheets import work
from ldam_studio.networks import sizes
from ldam_studio.networks.sources import labels
from ldam_studio.networks.weights import weights
from ldam_studio.networks.weights.reading import building, content, formats, shards, zips
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.training import cifar10, data, pictures

PAGE = asset("resources", "guide", "limits.md").read_text(encoding="utf-8")

LINES = {
    "an exported picture": (f"{shown.MOST_PIXELS:,} pixels", f"{png.MOST_BYTES // 2**20} MB"),
    "a link": (f"{links.MOST_LETTERS:,} letters", f"{links.MOST_READ:,}", f"{recipe.LIMIT:,}"),
    "changes in a recipe": (f"{recipe.MOST_CHANGES:,}",),
    "chains, and": (f"{description.MOST_CHAINS:,}",),
    "networks side by side": (f"| {comparison.MOST_LANES} |",),
    "a text in a recipe": ("1,000 letters", f"{files.LONGEST:,} for a path"),
    "a session file": (f"{session_file.MOST_BYTES // 2**30} GB",),
    "what is in a session file": (f"{contents.MOST_MEMBERS:,} files", "16 MB each"),
    "sessions that are kept": (f"| {shelf.MOST_SESSIONS},", f"{shelf.MOST_BYTES // 2**30} GB"),
    "pins in": (
        f"| {pins.MOST_PINS}, and {pins.MOST_BYTES // 2**20} MB",
        f"{folder.MOST_PIXELS:,} pixels",
    ),
    "neurons of a contact": (
        f"{cells.MOST_CELLS:,}, with {spec.MOST_CHAINS_EACH} chains",
        f"{3 * contact_sheet.CELL**2 * cells.MOST_CELLS // 10**6} MB",
    ),
    "contact sheets that": (f"| {work.MOST_KEPT} |",),
    "an animation": (
        f"{animation.MOST_SIDE:,} pixels",
        f"{animation.MOST_FRAMES:,} frames",
        f"{animation.MOST_BYTES / 1e9:.1f} GB",
    ),
    "resolution": (f"{SETTINGS['resolution'].maximum:,} pixels", "half of the free"),
    "a file of weights": (f"{files.MOST_READ // 2**30} GB", "a third of the free"),
    "tensors in it": (f"{building.MOST_TENSORS:,}", f"{content.LONGEST:,} letters"),
    "what a compressed": (f"{zips.SMALL // 10**6} MB", f"{zips.TIMES} times"),
    "an index of": (f"{shards.MOST_BYTES // 10**6} MB", f"{shards.MOST_SHARDS:,} files"),
    "the header of": (f"{formats.HEADER_LIMIT // 10**6} MB",),
    "checkpoints of which": (f"| {watcher.MOST_CHECKPOINTS} |",),
    "weights beside": (
        f"{locate.MOST_COMPARED} files",
        f"{files.MOST_READ // 2**30} GB",
    ),
    "a file of labels": (f"{labels.MOST_BYTES // 2**20} MB", f"{labels.MOST_LINES:,} lines"),
    "a file of labels |": (f"{labels.MOST_LETTERS} letters",),
    "one of MNIST": (f"{data.MOST_BYTES // 2**20} MB",),
    "CIFAR-10": (f"{cifar10.MOST_BYTES // 2**20} MB",),
    "a photograph": (f"{pictures.MOST_BYTES // 2**20} MB", f"{pictures.MOST_PIXELS:,} pixels"),
    "a real image that is indexed": (f"{pictures.MOST_PIXELS:,} pixels",),
    "a sentence": (f"{errors.MOST_LETTERS} letters", f"{errors.MOST_IN_WORD} of one word"),
    "a window's own": (f"{files.MOST_OF_STATE // 2**20} MB",),
}


@pytest.mark.parametrize("what", LINES)
def test_the_page_of_limits_is_true(what):
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {what}")]
    for number in LINES[what]:
        assert number in line
    assert weights.TIMES_ITS_SIZE == 3 and sizes.MOST_SHARE == 0.5
