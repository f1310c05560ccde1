"""Running, pausing and starting over; undoing and redoing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.engine.run_state import RunState
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.theme import icons

if TYPE_CHECKING:
    from PyQt6.QtCore import pyqtBoundSignal
    from PyQt6.QtGui import QAction

PLAY = Entry("play", "Play", "Space", "Run or rest", "play", "Pause", canvas=True)
STEP = Entry("step", "Single Step", "S", "Take one step and rest", "step", "Step", canvas=True)
MELT = Entry(
    "melt",
    "Melt",
    "K",
    "A hundred times the temperature for 60 steps, then back",
    "melt",
    "Melt",
    canvas=True,
)
RESTART = Entry(
    "restart",
    "Restart with the Same Seed",
    "R",
    "Begin again with the same random numbers",
    "restart",
    "Restart",
    canvas=True,
)
NEW_SEED = Entry(
    "new_seed",
    "New Seed",
    "N",
    "Begin again with other random numbers",
    "new-seed",
    "New seed",
    canvas=True,
)
RESET_AVERAGE = Entry(
    "reset_average",
    "Reset Average",
    "A",
    "Forget the samples averaged so far",
    "reset-average",
    "Reset average",
    canvas=True,
)
UNDO = Entry("undo", "Undo", "Ctrl+Z", "Take the last change of a setting back")
REDO = Entry("redo", "Redo", "Ctrl+Shift+Z", "Make that change again")


class Running(Feature):
    """The menus Run and Edit."""

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
        """Let the play action say what it will do next."""
        running = state is RunState.RUNNING
        self._play.setIcon(icons.icon("pause" if running else "play"))
        self._play.setText("Pause" if running else "Play")
        self._play.setIconText("Pause" if running else "Play")
        self._play.setToolTip(("Rest" if running else "Run") + " (Space)")


def _follow(action: QAction, can: pyqtBoundSignal, text: pyqtBoundSignal) -> None:
    """Let an action say what would be undone, and be there only when something would."""
    word = action.text()
    action.setEnabled(False)
    can.connect(action.setEnabled)
    text.connect(lambda what: action.setText(f"{word} {what}".rstrip()))
