"""The menu entry that draws a whole layer in the background, and how far that is."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ldam_studio.errors import StudioError
from ldam_studio.gui.atlas.light import DrawingLight
from ldam_studio.gui.neuron_grid.words import duration
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name
from ldam_studio.progress import per_minute

if TYPE_CHECKING:
    from ldam_studio.atlas.command import Progress
    from ldam_studio.gui.atlas.draw_dialog import DrawDialog
    from ldam_studio.gui.atlas.process import DrawingProcess
    from ldam_studio.gui.atlas.wanted import WantedLayer

DRAW = Entry(
    "draw_layer",
    "Draw the Whole Layer…",
    "",
    "Draw every neuron of the layer that is listed in the background, as an atlas in a folder",
    needs_session=True,
)
KEY = "draw-layer"
LOOK_MS = 1000  # between two looks at the clock while nothing is drawn yet
SOON_S = 3.0  # before that, nothing is said of the rate
DOING = "drawing neurons"


class AtlasDrawing(Feature):
    """Draws one layer at a time with a process of its own; closing the studio stops it.

    What was drawn until then stays, and drawing into the same folder goes on.
    """

    entries = (DRAW,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        studio.places.add_to_menu("Explore", studio.places.action(DRAW, self.ask))
        self.dialog: DrawDialog | None = None
        self.process: DrawingProcess | None = None
        self.wanted: WantedLayer | None = None
        self.light: DrawingLight | None = None
        self._flags: Task | None = None
        self._layer = ""
        self._last: Progress | None = None
        self._began: tuple[int, float] | None = None
        self._since = 0.0
        self._is_stopping = False
        self._clock = QTimer(studio.places.root)
        self._clock.setInterval(LOOK_MS)
        self._clock.timeout.connect(self._show_progress)

    def unfinished(self) -> str:
        """Say what is being drawn."""
        if self.process is None:
            return ""
        return (
            f"{self._title()} is being drawn; closing the studio stops that. What is drawn stays, "
            "and drawing the layer into the same folder goes on."
        )

    def leave(self) -> None:
        """Ask the process to end."""
        self._leave_flags()
        self._clock.stop()
        if self.process is not None:
            self.process.blockSignals(True)
            self.process.end()

    def close(self) -> None:
        """Wait until the process has ended; what it has drawn stays in the folder."""
        if self.process is not None:
            self.process.wait()

    # Asking

    def ask(self) -> None:
        """Ask how the layer that is listed is drawn; only one is drawn at a time."""
        from ldam_studio.atlas.cluster import check_installed
        from ldam_studio.gui.atlas.draw_dialog import DrawDialog

        studio = self.studio
        try:
            check_installed()
        except StudioError as error:
            studio.notices.say(str(error), "warning", key=KEY)
            return
        if self.process is not None:
            studio.notices.say(
                f"{self._title()} is being drawn; another layer can be drawn after it.",
                actions=(("Look", self.look), ("Stop Drawing", self.stop)),
                key=KEY,
            )
            return
        model = studio.model
        if self.dialog is None:
            self.dialog = DrawDialog(model.outline.device.name != "cpu", studio.places.root)
            self.dialog.wanted.connect(self._draw)
            self.dialog.finished.connect(lambda _code: self._leave_flags())
        self._layer = studio.listed_layer()
        network = model.acted.network
        title = short_name(network.name)
        count = network.layer(self._layer).neurons
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", title)[:60].strip("-.")
        base = Path(studio.start_folder) if studio.start_folder else Path.home()
        neurons = "1 neuron" if count == 1 else f"{count:,} neurons"
        self.dialog.ask_for(f"{title}, {self._layer}: {neurons}", base / f"atlas-{name}")

    def _draw(self) -> None:
        """Make the flags on a thread of its own, then start the process."""
        dialog = self.dialog
        if dialog is None or self._flags is not None:
            return
        try:
            wanted = self._wanted(dialog)
        except StudioError as error:
            dialog.refuse(str(error))
            return
        dialog.show_busy(True)
        task = self._flags = Task(lambda _task: wanted.flags())
        task.setObjectName("atlas-flags")
        task.done.connect(partial(self._start, wanted))
        task.failed.connect(self._refuse)
        task.start()

    def _wanted(self, dialog: DrawDialog) -> WantedLayer:
        from ldam_studio.gui.atlas.wanted import WantedLayer
        from ldam_studio.gui.neuron_grid.asking import settings_of

        model = self.studio.model
        return WantedLayer(
            network=model.acted.network,
            layer=self._layer,
            settings=settings_of(self.studio, self._layer),
            device=model.outline.device,
            discriminator=model.outline.discriminator,
            chains=dialog.chains.value(),
            steps=dialog.steps.value(),
            seed=model.outline.seed,
            display=model.display.mode,
            workers=dialog.workers.value(),
            folder=dialog.path,
        )

    def _refuse(self, error: StudioError) -> None:
        self._leave_flags()
        if self.dialog is not None:
            self.dialog.refuse(str(error))

    def _leave_flags(self) -> None:
        if self._flags is not None:
            self._flags.leave()
            self._flags = None

    # Drawing

    def _start(self, wanted: WantedLayer, flags: list[str]) -> None:
        from ldam_studio.gui.atlas.process import DrawingProcess

        self._leave_flags()
        if self.dialog is not None:
            self.dialog.accept()
        self.studio.notices.dismiss(KEY)
        self.wanted, self._last, self._began = wanted, None, None
        if self.light is None:
            light = self.light = DrawingLight()
            light.looked.connect(self.look)
            light.stopped.connect(self.stop)
            self.studio.places.add_to_status(light)
        self._since, self._is_stopping = time.monotonic(), False
        self._show_progress()
        self.light.show()
        self._clock.start()
        process = self.process = DrawingProcess(self.studio.places.root)
        process.told.connect(self._tell)
        process.ended.connect(self._on_ended)
        process.start(flags)

    def stop(self) -> None:
        """Stop drawing; what is drawn stays in the folder."""
        if self.process is not None and self.light is not None:
            self._clock.stop()
            self._is_stopping = True
            self.light.show_words((f"{self._title()}: stopping …",), "")
            self.process.end()

    def look(self) -> None:
        """Show the atlas as far as it is drawn."""
        from ldam_studio.atlas.browsing import is_atlas

        if self.wanted is None:
            return
        if self.process is not None and not is_atlas(self.wanted.folder):
            said = f"{self._title()}: no neuron is drawn yet; look again in a moment."
            self.studio.notices.say(said, key=KEY)
            return
        self.studio.show_atlas(self.wanted.folder)

    def _tell(self, progress: Progress) -> None:
        self._last = progress
        if not self._is_stopping:
            self._show_progress()

    def _show_progress(self) -> None:
        """Show how far it is, or how long it has taken as long as nothing is drawn."""
        if self.light is None or self.wanted is None:
            return
        progress, now = self._last, time.monotonic()
        if progress is None or progress.doing != DOING:
            doing = "starting" if progress is None else progress.doing
            waited = f", {now - self._since:.0f} s" if self._began is None else ""
            said = [f"{self._title()}: {doing}{waited}"]
        else:
            if self._began is None:
                self._began = (progress.done, now)
            said = [f"{self._title()}: {progress.done:,} of {progress.total:,}"]
            drawn, seconds = progress.done - self._began[0], now - self._began[1]
            if not drawn:
                said.append(f"{now - self._since:.0f} s")
            elif seconds > SOON_S:
                self._clock.stop()
                left = seconds / drawn * (progress.total - progress.done)
                said.append(per_minute(drawn, seconds))
                said.append(f"about {duration(left)} left")
        self.light.show_words(tuple(said), str(self.wanted.folder))

    def _on_ended(self, sentence: str) -> None:
        self.studio.notices.dismiss(self.unfinished())
        process, wanted = self.process, self.wanted
        self.process = None
        self._clock.stop()
        if self.light is not None:
            self.light.hide()
        if process is None or wanted is None:
            return
        process.deleteLater()
        look = (("Look at the Atlas", self.look),)
        if sentence:
            self.studio.notices.say(sentence, "danger", key=KEY)
        elif process.report:
            failed = process.report.get("failed")
            said = f"{self._title()} is drawn; the atlas is in {wanted.folder}."
            if isinstance(failed, list) and failed:
                said = f"{len(failed):,} neurons of {wanted.layer} cannot be drawn: {failed[0]}"
            self.studio.notices.say(said, "warning" if failed else "info", look, key=KEY)
        else:
            self.studio.notices.say(
                f"{self._title()} was stopped; what is drawn is in {wanted.folder}, and "
                "drawing the layer again into that folder goes on.",
                actions=look,
                key=KEY,
            )

    def _title(self) -> str:
        return "" if self.wanted is None else f"Atlas of {self.wanted.layer}"
