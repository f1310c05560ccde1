"""The actions of the menus Run and Edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.engine.run_state import RunState
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.theme import icons

if TYPE_CHECKING:
    from PyQt6.QtCore import pyqtBoundSignal
    from PyQt6.QtGui import QAction

PLAY = Entry("play", "Play", "Space", "Run or pause the chains", "play", "Pause", canvas=True)
STEP = Entry("step", "Single Step", "S", "Take one step, then pause", "step", "Step", canvas=True)
MELT = Entry(
    "melt",
    "Melt",
    "K",
    "Heat the chains until their images have dissolved, then cool them",
    "melt",
    "Melt",
    canvas=True,
)
RESTART = Entry(
    "restart",
    "Restart with the Same Seed",
    "R",
    "Restart the chains with the same random numbers",
    "restart",
    "Restart",
    canvas=True,
)
NEW_SEED = Entry(
    "new_seed",
    "New Seed",
    "N",
    "Restart the chains with other random numbers",
    "new-seed",
    "New seed",
    canvas=True,
)
RESET_AVERAGE = Entry(
    "reset_average",
    "Reset Average",
    "A",
    "Discard the samples averaged so far",
    "reset-average",
    "Reset average",
    canvas=True,
)
UNDO = Entry("undo", "Undo", "Ctrl+Z", "Undo the last change")
REDO = Entry("redo", "Redo", "Ctrl+Shift+Z", "Make the undone change again")


class Running(Feature):
    """Fills the menus Run and Edit, and the first buttons of the toolbar."""

    entries = (PLAY, STEP, MELT, RESTART, NEW_SEED, RESET_AVERAGE, UNDO, REDO)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, controller = studio.places, studio.controller
        self._play = places.action(PLAY, controller.toggle)
        step = places.action(STEP, controller.step)
        changes = [
            places.action(MELT, controller.melt),
            places.action(RESTART, controller.restart),
            places.action(NEW_SEED, controller.new_seed),
            places.action(RESET_AVERAGE, controller.reset_average),
        ]
        undo = places.action(UNDO, controller.undo)
        redo = places.action(REDO, controller.redo)
        places.add_to_menu("Edit", undo, redo)
        places.add_to_menu("Run", self._play, step, *changes)
        places.add_to_toolbar(self._play, step)
        places.add_to_toolbar(*changes)
        stack = controller.undo_stack.stack
        _follow(undo, stack.canUndoChanged, stack.undoTextChanged)
        _follow(redo, stack.canRedoChanged, stack.redoTextChanged)
        studio.model.run_state_changed.connect(self._show_running)

    def _show_running(self, state: RunState) -> None:
        """Name the play action after what it does next: pause or play."""
        running = state is RunState.RUNNING
        self._play.setIcon(icons.icon("pause" if running else "play"))
        self._play.setText("Pause" if running else "Play")
        self._play.setIconText("Pause" if running else "Play")
        self._play.setToolTip(("Pause" if running else "Run") + " the chains (Space)")


def _follow(action: QAction, can: pyqtBoundSignal, text: pyqtBoundSignal) -> None:
    """Name an action after what it would undo or redo; disable it if there is nothing."""
    word = action.text()
    action.setEnabled(False)
    can.connect(action.setEnabled)
    text.connect(lambda what: action.setText(f"{word} {what}".rstrip()))
