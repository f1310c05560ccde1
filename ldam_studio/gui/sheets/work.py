"""Drawing a contact sheet, on a thread of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal

from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.folder import INDEX, SheetFolder, digest_of
from ldam_studio.explore.sheets.making import Made, drawn_already, make, write_page
from ldam_studio.explore.sheets.ordering import by_similarity
from ldam_studio.explore.sheets.spec import SheetSpec, neurons_in, small
from ldam_studio.explore.sheets.starting import kept_picture
from ldam_studio.gui.task import Task
from ldam_studio.gui.theme.paint import qimage

if TYPE_CHECKING:
    from pathlib import Path

    from PyQt6.QtGui import QImage

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.kept_pictures import KeptPicture
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.networks.discriminators import DiscriminatorModel
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.settings import Settings

MOST_KEPT = 20
"""Sheets that stay in the state folder; those that were left longest ago are removed."""
_KEPT = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Wanted:
    """The sheet that the window asks for; `numbers` are its neurons, None for the whole layer."""

    network: Network
    layer: str
    numbers: tuple[int, ...] | None
    settings: Settings
    device: Device
    discriminator: DiscriminatorModel | None
    chains: int
    steps: int
    seed: int
    display: str

    def spec(self) -> SheetSpec:
        """Return the sheet, with a module of its own; this may take a second.

        Raises
        ------
        StudioError
            If it cannot be drawn.
        """
        network = self.network.alongside()
        neurons = neurons_in(network, self.layer, self.numbers)
        return SheetSpec(
            network=network,
            neurons=neurons,
            settings=small(network, neurons, self.settings.for_chains(self.chains)),
            device=self.device.in_float32(),
            chains=self.chains,
            steps=self.steps,
            seed=self.seed,
            discriminator=self.discriminator,
            display=self.display,
        )


@dataclass(frozen=True)
class Thumbnail:
    """A neuron that is drawn: what there is to say of it, and a small picture of it."""

    made: Made
    image: QImage
    place: Place


class SheetTask(Task):
    """Reads a sheet from its folder, and draws what is missing.

    `done` carries a `Place`: the sheet and its folder. `arrived` has each neuron as soon as it is
    there.

    Parameters
    ----------
    wanted
        The sheet.
    base
        Folder with a folder for each sheet.
    draws
        Whether what is missing is drawn.
    """

    arrived = pyqtSignal(object)  # Thumbnail

    def __init__(self, wanted: Wanted, base: Path, *, draws: bool) -> None:
        super().__init__(lambda _task: self._draw(wanted, base, draws=draws))

    def leave(self) -> None:
        """Abandon the task; what it has drawn stays in the folder."""
        with suppress(TypeError):
            self.arrived.disconnect()
        super().leave()

    def _draw(self, wanted: Wanted, base: Path, *, draws: bool) -> Place:
        spec = wanted.spec()
        place = Place(spec, base / digest_of(spec))
        if not draws and not (place.path / INDEX).is_file():
            return place
        tidy(base, place.path)
        for made in place.made(draws=draws):
            self.arrived.emit(Thumbnail(made, qimage(made.picture), place))
        return place


@dataclass(frozen=True)
class Place:
    """A sheet and the folder in which it is kept."""

    spec: SheetSpec
    path: Path

    def made(self, *, draws: bool) -> Iterator[Made]:
        """Yield the neurons that are drawn, and then those that are missing if it `draws`."""
        folder = SheetFolder(self.spec, self.path)
        return make(self.spec, folder) if draws else drawn_already(self.spec, folder)

    def kept(self, neuron: Neuron) -> KeptPicture | None:
        """Return the picture of a neuron as a session keeps it; None if it cannot be one."""
        picture = SheetFolder(self.spec, self.path).picture(neuron)
        return None if picture is None else kept_picture(self.spec, neuron, picture)

    def save(self, order: str, path: Path) -> int:
        """Write the page with what is drawn; return the number of neurons on it."""
        made = list(self.made(draws=False))
        if not made:
            raise StudioError("No neuron of the sheet is drawn yet; draw some, then save the page.")
        write_page(self.spec, made, order, path)
        return len(made)


def similar(pictures: dict[int, Bytes]) -> list[int]:
    """Return the numbers of pictures so that similar ones are neighbours."""
    numbers = list(pictures)
    return [numbers[place] for place in by_similarity([pictures[n] for n in numbers])]


def tidy(base: Path, besides: Path) -> None:
    """Remove the sheets that were left longest ago, but for `MOST_KEPT` and the one in use."""
    with suppress(OSError):
        kept = [each for each in base.iterdir() if _KEPT.fullmatch(each.name) and each != besides]
        kept.sort(key=lambda each: each.stat().st_mtime, reverse=True)
        for folder in kept[MOST_KEPT - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)


def numbers_in(text: str, count: int) -> tuple[int, ...] | None:
    """Read numbers and ranges of neurons, such as ``0-9, 17``; None for an empty text.

    Raises
    ------
    StudioError
        If it is written otherwise, or the layer has no such neuron.
    """
    found: list[int] = []
    for part in filter(None, re.split(r"[\s,;]+", text.strip())):
        ends = re.fullmatch(r"(\d{1,9})(?:[-–](\d{1,9}))?", part)
        first = int(ends[1]) if ends else 0
        last = int(ends[2] or first) if ends else -1
        if not first <= last < count:
            raise StudioError(
                f"Neurons are written as numbers and ranges from 0 to {count - 1}, for example "
                f"0-{min(9, count - 1)}, not {part!r}."
            )
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found)) or None


def name_of(neuron: Neuron) -> str:
    """Return a neuron's layer as the beginning of a file name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", neuron.layer)[:60].strip("-.") or "sheet"
