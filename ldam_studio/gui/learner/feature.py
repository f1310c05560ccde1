"""Connects the discriminator's panel to the session, and saves the discriminator."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from ldam_studio.engine.discriminator import check_real_images, may_choose_real_images
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.learner.panel import LearnerPanel
from ldam_studio.gui.studio import Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.gui.waiting import PatientQuestion
from ldam_studio.networks.weights.suffixes import SAFETENSORS

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.networks.network import Network

NONE_HERE = "This session has no discriminator."
FILES = f"Weights (*{SAFETENSORS})"


class Learner(Feature):
    """Adds the discriminator's panel below the settings."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        controller, model = studio.controller, studio.model
        self.panel = LearnerPanel()
        self.panel.learn_every_changed.connect(partial(controller.set_value, "learn_every"))
        self.panel.revert_requested.connect(controller.revert_discriminator)
        self.panel.save_requested.connect(self.save)
        self.panel.images_requested.connect(self.choose_images)
        self._check: Task | None = None
        self._question = PatientQuestion(studio, "save-discriminator", "save the discriminator")
        model.value_changed.connect(self._show_value)
        studio.frames.read.connect(self.panel.show_frame)
        model.on_session(self._show_session)
        studio.places.add_panel("controls", self.panel)

    def _show_session(self) -> None:
        model = self.studio.model
        outline = model.outline
        has_one = outline.discriminator is not None
        self.panel.set_available(has_one, NONE_HERE)
        may_choose = has_one and may_choose_real_images(outline.lane.network, outline.data)
        self.panel.set_source(model.source_of_real_images, may_choose=may_choose)
        self.panel.set_learn_every(model.outline.learn_every)

    def _show_value(self, name: str) -> None:
        if name in ("learn_every", "discriminator", "data"):
            self._show_session()

    def save(self) -> None:
        """Ask for a file, and save the discriminator with what it has learned."""
        self._question.ask(snapshot, self._save)

    def choose_images(self) -> None:
        """Ask for a folder of real images, and let the discriminator learn from them."""
        place = QFileDialog.getExistingDirectory(
            self.studio.places.root, "Choose real images for the discriminator"
        )
        if place:
            self.use_images(Path(place))

    def use_images(self, folder: Path) -> None:
        """Read the real images in a folder, and let the discriminator learn from them from then on.

        If there are none, nothing is changed and the reason is reported.
        """
        self._leave_check()
        network = self.studio.model.outline.lane.network
        self._check = Task(lambda _task: check_real_images(network, folder))
        self._check.setObjectName("real-images")
        self._check.done.connect(lambda _nothing: self._use(network, folder))
        self._check.failed.connect(self._refuse)
        self._check.start()

    def leave(self) -> None:
        """Cancel saving if it still waits for the session, and leave images unread."""
        self._question.cancel()
        self._leave_check()

    def _use(self, network: Network, folder: Path) -> None:
        self._leave_check()
        # Meanwhile another network may have been opened.
        if self.studio.model.outline.lane.network.sha256 == network.sha256:
            self.studio.controller.use_real_images(folder)

    def _refuse(self, error: StudioError) -> None:
        self._leave_check()
        self.studio.notices.say(str(error), "danger")

    def _leave_check(self) -> None:
        if self._check is not None:
            self._check.leave()
            self._check = None

    def _save(self, state: SessionState) -> None:
        from ldam_studio.networks.weights.weights import write_weights

        module = state.discriminator_module
        if module is None:
            return
        path, _ = QFileDialog.getSaveFileName(
            self.studio.places.root,
            "Save the discriminator",
            f"discriminator{SAFETENSORS}",
            FILES,
        )
        if not path:
            return
        target = Path(path)
        if target.suffix != SAFETENSORS:
            target = target.with_name(target.name + SAFETENSORS)
        try:
            write_weights(target, module.state_dict(), {"step": str(state.step)})
        except StudioError as error:
            self.studio.notices.say(str(error), "danger")
        else:
            self.studio.notices.say(f"Saved {target}.")
