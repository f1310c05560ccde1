"""Measures photo statistics while the session goes on, and then puts them to use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from PyQt6.QtCore import QObject

from ldam_studio.engine.setting_notes import NOT_MEASURED
from ldam_studio.errors import StudioError
from ldam_studio.gui.qt import present
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from torch import nn

    from ldam_studio.engine.frame import LaneFrame
    from ldam_studio.engine.photo_statistics import Measured
    from ldam_studio.gui.settings.photographs_dialog import PhotographsDialog
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network

KEY, OFFER = "photographs", "photographs-offer"
MEASURE = "Measure on Photographs…"


class Measuring(QObject):
    """Asks for photographs, measures the network that is acted on, and changes the session.

    Attributes
    ----------
    place
        The folder or zip that was measured last; empty for none.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self._task: Task | None = None
        self._offered: WeakSet[nn.Module] = WeakSet()
        self.place = str(studio.data or "")

    def ask(self) -> PhotographsDialog:
        """Show the dialog without blocking the window, and return it."""
        from ldam_studio.gui.settings.photographs_dialog import PhotographsDialog

        network = self._studio.model.acted.network
        dialog = PhotographsDialog(short_name(network.name), self.place, self._studio.places.root)
        dialog.accepted.connect(lambda: self.measure(network, present(dialog.place)))
        dialog.open()
        return dialog

    def show_frame(self, frame: LaneFrame) -> None:
        """Offer the measurement once for each network of which nothing is known."""
        network = self._studio.model.acted.network
        unknown = frame.measurable and frame.notes.get("photo_statistics") == NOT_MEASURED
        if unknown and network.module not in self._offered:
            self._offered.add(network.module)
            self._studio.notices.say(
                "Pictures become more like photographs once it is known what these do to "
                f"{short_name(network.name)}.",
                actions=((MEASURE, self.ask),),
                key=OFFER,
            )

    def measure(self, network: Network, place: Path) -> None:
        """Measure a network on the photographs in a folder or zip; an earlier task is abandoned."""
        self.leave()
        self._studio.notices.dismiss(OFFER)
        self.place = str(place)
        task = self._task = Task(partial(_measure, network, place))
        task.setObjectName("photo-statistics")
        task.progressed.connect(partial(self._on_progress, network))
        task.done.connect(partial(self._on_measured, network))
        task.failed.connect(self._on_failed)
        self._studio.notices.say(
            _words(network, "looking for photographs"), actions=(("Cancel", self.leave),), key=KEY
        )
        task.start()

    def leave(self) -> None:
        """Abandon the measurement, if there is one; returns at once."""
        if self._task is not None:
            self._task.leave()
            self._task = None
            self._studio.notices.dismiss(KEY)

    def _on_progress(self, network: Network, done: int, total: int) -> None:
        self._studio.notices.retell(KEY, _words(network, f"{done / total:.0%}"))

    def _on_measured(self, network: Network, found: Measured) -> None:
        self.leave()
        studio = self._studio
        lanes = studio.model.outline.lanes
        same = [lane.network for lane in lanes if lane.network.sha256 == found.network]
        if any(network.is_measured_by(found.statistics) for network in same):
            studio.controller.use_statistics(found)
            return
        studio.notices.say(
            f"{short_name(network.name)} was measured on photographs; the next session with it "
            "uses them."
        )

    def _on_failed(self, error: StudioError) -> None:
        self.leave()
        self._studio.notices.say(
            str(error), "danger", actions=(("Choose Others…", self.ask),), key=KEY
        )


def _words(network: Network, state: str) -> str:
    return f"Measuring {short_name(network.name)} on photographs: {state} …"


def _measure(network: Network, place: Path, task: Task) -> Measured:
    from ldam_studio.engine.measuring import measure_for

    def on_batch(done: int, total: int) -> None:
        if not task.progress(done, total):
            raise StudioError("The measurement was cancelled.")

    return measure_for(network, place, on_batch)
