"""Connects the discriminator's panel to the session, and saves the discriminator."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog

from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.learner.panel import LearnerPanel
from ldam_studio.gui.studio import Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion
from ldam_studio.networks.weights.suffixes import SAFETENSORS

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState

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
        self._question = PatientQuestion(studio, "save-discriminator", "save the discriminator")
        model.value_changed.connect(self._show_value)
        studio.frames.read.connect(self.panel.show_frame)
        model.on_session(self._show_session)
        studio.places.add_panel("controls", self.panel)

    def _show_session(self) -> None:
        model = self.studio.model
        self.panel.set_available(model.outline.discriminator is not None, NONE_HERE)
        self.panel.set_source(model.source_of_real_images)
        self.panel.set_learn_every(model.outline.learn_every)

    def _show_value(self, name: str) -> None:
        if name in ("learn_every", "discriminator"):
            self._show_session()

    def save(self) -> None:
        """Ask for a file, and save the discriminator with what it has learned."""
        self._question.ask(snapshot, self._save)

    def leave(self) -> None:
        """Cancel saving if it still waits for the session."""
        self._question.cancel()

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
