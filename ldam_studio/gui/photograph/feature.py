"""Connects the tab for a photograph to the session."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from ldam_studio.engine.changes.change import Change
from ldam_studio.errors import StudioError
from ldam_studio.gui.stragglers import wait_for
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.kept_pictures import KeptPicture
    from ldam_studio.engine.picture import Floats
    from ldam_studio.gui.photograph.looking import Now, Seen
    from ldam_studio.gui.photograph.panel import PhotographPanel
    from ldam_studio.networks.network import Network

EVERY_S = 1.5  # between two questions what the network says of the average
SOON_S = 0.2  # until its answer has changed, so that it is known where
LOOKING, NOW = "photograph", "photograph-now"  # names of threads

OPEN = Entry(
    "open_photograph",
    "Open Photograph…",
    "",
    "See which units answer to a photograph, start chains from it, push it to a class",
    needs_session=True,
)


class Photographs(Feature):
    """Shows a photograph that is opened or dropped in a tab below the images."""

    entries = (OPEN,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self.panel: PhotographPanel | None = None
        self.picture: KeptPicture | None = None
        self._path: Path | None = None
        self._network: Network | None = None  # for which the photograph was read
        self._task: Task | None = None
        self._now: Task | None = None  # asks what the network says of the average
        self._asked = 0.0
        self._changed_at: float | None = None  # the distance at which the answer changed
        studio.places.add_to_menu("Explore", studio.places.action(OPEN, self.ask))
        studio.take_photographs(self.open)
        studio.model.session_changed.connect(self._look_again)
        studio.model.weights_changed.connect(self._look_again)
        studio.frames.read.connect(self._show_frame)

    def ask(self) -> None:
        """Ask for a photograph and show it."""
        from ldam_studio.engine.photographs import SUFFIXES

        pictures = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(
            self.studio.places.root,
            "Open a photograph",
            self.studio.start_folder,
            f"Photographs ({pictures})",
        )
        if path:
            self.studio.start_folder = str(Path(path).parent)
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Show a photograph in its tab; a failure is one message there.

        Raises
        ------
        StudioError
            If no session is open.
        """
        if not self.studio.model.is_open:
            raise StudioError(f"Open a network first, then the photograph {path.name}.")
        panel = self._made_panel()
        self._path = path
        self.studio.places.show_tab(panel)
        self._look(path)

    def leave(self) -> None:
        """Abandon what is being looked at."""
        self._leave_now()
        self._leave_task()

    def close(self) -> None:
        """Wait until what was abandoned has ended."""
        for name in (LOOKING, NOW):
            wait_for(name)

    def _leave_task(self) -> None:
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _made_panel(self) -> PhotographPanel:
        if self.panel is None:
            from ldam_studio.gui.photograph.panel import PhotographPanel

            panel = self.panel = PhotographPanel()
            panel.asked.connect(self.ask)
            panel.chosen.connect(self.studio.controller.set_neurons)
            panel.started.connect(self.start_from_it)
            panel.pushed.connect(self.push)
            panel.released.connect(self._release)
            self.studio.places.add_tab("Photograph", panel)
        return self.panel

    # Looking

    def _look_again(self) -> None:
        """Look at the photograph with another network, or other weights."""
        network = self.studio.model.outline.lane.network
        if self.panel is not None and self._path is not None and network is not self._network:
            self._look(self._path)

    def _look(self, path: Path) -> None:
        from ldam_studio.gui.photograph.looking import look, read

        self._leave_task()
        panel, model = self._made_panel(), self.studio.model
        network = self._network = model.outline.lane.network
        self.picture = None
        panel.show_picture(None, path.name)
        panel.show_waiting(f"Reading {path.name} …")
        data = model.outline.data or self.studio.data

        def answers(picture: KeptPicture) -> None:
            self._show_picture(picture)
            self._run(lambda _task: look(network, picture, data), partial(self._show_seen, network))

        self._run(lambda _task: read(path, network), answers)

    def _run(self, work: Callable[[Task], object], done: Callable[..., object]) -> None:
        self._leave_task()
        task = self._task = Task(work)
        task.setObjectName(LOOKING)
        task.done.connect(done)
        task.failed.connect(self._fail)
        task.staged.connect(self._show_stage)
        task.start()

    def _fail(self, error: StudioError) -> None:
        self._leave_task()
        self._made_panel().show_waiting(str(error))

    def _show_stage(self, stage: object) -> None:
        self._made_panel().show_waiting(f"{str(getattr(stage, 'doing', '')).capitalize()} …")

    def _show_picture(self, picture: KeptPicture) -> None:
        from ldam_studio.engine.picture import to_bytes

        panel = self._made_panel()
        self.picture = picture
        network = self.studio.model.outline.lane.network
        pixels = network.pixels
        caption = ("inverted: " if picture.inverted else "") + picture.title
        panel.show_picture(to_bytes(picture.pixels.numpy(), pixels, "image"), caption)
        panel.show_waiting("Looking at the units …")
        panel.show_classes(_classes(network), None)

    def _show_seen(self, network: Network, seen: Seen) -> None:
        self._leave_task()
        panel = self._made_panel()
        panel.show_classes(_classes(network), seen.next)
        panel.show_answers(seen.answers, seen.layer, seen.says)

    def _show_frame(self, frame: Frame) -> None:
        if self.panel is not None and self.panel.isVisible():
            lane = frame.lanes[0]
            self.panel.show_pull(lane.rest is not None)
            if lane.rest is not None and lane.average is not None:
                self._ask_now(lane.average, lane.rest)

    def _ask_now(self, average: Floats, rest: Floats) -> None:
        """Ask on a thread, every now and then, what the network says of an average."""
        from ldam_studio.gui.photograph.looking import look_now

        now = time.monotonic()
        wait = SOON_S if self._changed_at is None else EVERY_S
        if self._now is not None or now - self._asked < wait:
            return
        self._asked = now
        network = self.studio.model.outline.lane.network
        task = self._now = Task(lambda _task: look_now(network, average, rest))
        task.setObjectName(NOW)
        task.done.connect(self._show_now)
        task.failed.connect(lambda _error: self._leave_now())
        task.start()

    def _show_now(self, now: Now) -> None:
        self._leave_now()
        outline = self.studio.model.outline
        if outline.rest is None:
            return
        pushed, network = outline.lane.neurons[0], outline.lane.network
        if pushed == Neuron(network.class_layer.name, now.named) and self._changed_at is None:
            self._changed_at = now.distance
        self._made_panel().show_now(now.words(self._changed_at))

    def _leave_now(self) -> None:
        if self._now is not None:
            self._now.leave()
            self._now = None

    # Acting

    def start_from_it(self) -> None:
        """Let all chains begin at the photograph."""
        from ldam_studio.engine.kept_pictures import StartFrom

        if self.picture is not None:
            keep, number = self._keeping(self.picture)
            changes = [*keep, Change("start_from", StartFrom(number))]
            self._make({}, changes, "Start from Photograph")

    def push(self, target: str) -> None:
        """Let all chains leave from the photograph towards a class or another neuron."""
        from ldam_studio.engine.kept_pictures import StartFrom
        from ldam_studio.explore.photograph.pushing import neuron_called, push_settings

        if self.picture is None:
            return
        network = self.studio.model.outline.lane.network
        try:
            neuron = neuron_called(network, target)
        except StudioError as error:
            self.studio.notices.say(str(error), "warning")
            return
        keep, number = self._keeping(self.picture)
        changes = [
            *keep,
            Change("neurons", (neuron,)),
            Change("rest", number),
            Change("start_from", StartFrom(number)),
        ]
        if self._make(push_settings(network, neuron), changes, "Push Photograph"):
            self._leave_now()
            self._changed_at = None
            self.studio.notices.say(
                f"{self.picture.title} is pushed to {network.label(neuron)}: L2 pulls back to it, "
                "and the third image shows what has changed. Undo goes back.",
                key="push",
            )

    def _release(self) -> None:
        self.studio.controller.make(Change("rest"), "Release Photograph")

    def _keeping(self, picture: KeptPicture) -> tuple[list[Change], int]:
        """Return the change that keeps a picture, if it is not kept yet, and its number."""
        from ldam_studio.engine.changes.picture_rules import keeping

        return keeping(self.studio.model.outline.pictures, picture)

    def _make(self, values: dict[str, object], changes: list[Change], text: str) -> bool:
        try:
            self.studio.controller.make_together(values, changes, text)
        except StudioError as error:
            self.studio.notices.say(str(error), "warning")
            return False
        return True


def _classes(network: Network) -> tuple[str, ...]:
    count = network.class_layer.neurons
    return network.labels or tuple(str(number) for number in range(count))
