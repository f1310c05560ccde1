"""The dialog that saves the current settings as a preset, and renames and deletes presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.settings.values import text_of
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.user_presets import LONGEST

if TYPE_CHECKING:
    from ldam_studio.sampler.presets import Preset
    from ldam_studio.user_presets import UserPresets

_NAME = Qt.ItemDataRole.UserRole


class PresetsDialog(FittingDialog):
    """The user's presets: a field to save the current settings, and a list of saved presets.

    Parameters
    ----------
    presets
        The saved presets.
    settings
        The current settings, by name.
    """

    saved = pyqtSignal(str)

    def __init__(
        self,
        presets: UserPresets,
        settings: Mapping[str, object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Presets")
        self._presets, self._settings = presets, settings
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST)
        self.name.setPlaceholderText("A name for these settings")
        self.save_button = QPushButton("&Save")
        label = QLabel("&Name")
        label.setBuddy(self.name)
        self.list = QListWidget()
        self.list.setAccessibleName("Your presets")
        self.list.setEditTriggers(
            QListWidget.EditTrigger.DoubleClicked | QListWidget.EditTrigger.EditKeyPressed
        )
        self.empty = Paragraph("Presets that you save appear here and in the menu.")
        self.empty.setProperty("role", "empty")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside = QVBoxLayout(self.list)
        inside.addWidget(self.empty)
        self.rename_button = QPushButton("&Rename")
        self.delete_button = QPushButton("&Delete")
        for button in (self.rename_button, self.delete_button):
            button.setAutoDefault(False)
        self.note = Paragraph()
        self.note.setProperty("role", "danger")
        self.note.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(10)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(self.save_button, 0, 2)
        grid.addWidget(self.list, 1, 0, 3, 2)
        grid.addWidget(self.rename_button, 1, 2)
        grid.addWidget(self.delete_button, 2, 2)
        grid.addWidget(self.note, 4, 0, 1, 3)
        grid.setRowStretch(3, 1)
        grid.setColumnStretch(1, 1)
        self.lay_out(grid, buttons, lines=24)
        line = self.fontMetrics().height()
        self.list.setMinimumHeight(8 * line)
        self.save_button.setDefault(True)
        self.name.textChanged.connect(self._show_buttons)
        self.save_button.clicked.connect(lambda _on: self.save())
        self.rename_button.clicked.connect(lambda _on: self.list.editItem(self.list.currentItem()))
        self.delete_button.clicked.connect(lambda _on: self.delete())
        self.list.itemChanged.connect(self._renamed)
        self.list.currentRowChanged.connect(self._show_buttons)
        self._fill()
        self.name.setFocus()

    def save(self) -> None:
        """Save the current settings under the name in the field."""
        try:
            preset = self._presets.save(self.name.text(), self._settings)
        except StudioError as error:
            self._complain(str(error))
            return
        self.name.clear()
        self._fill(preset.name)
        self.saved.emit(preset.name)

    def delete(self) -> None:
        """Delete the selected preset."""
        item = self.list.currentItem()
        if item is None:
            return
        try:
            self._presets.remove(item.data(_NAME))
        except StudioError as error:
            self._complain(str(error))
            return
        self._fill()

    def _renamed(self, item: QListWidgetItem) -> None:
        before, after = item.data(_NAME), item.text()
        if before == after:
            return
        try:
            self._presets.rename(before, after)
        except StudioError as error:
            self._fill(before)
            self._complain(str(error))
            return
        self._fill(" ".join(after.split()))

    def _fill(self, chosen: str = "") -> None:
        """List the presets again, and select the one of this name."""
        self._complain("")
        self.list.blockSignals(True)
        self.list.clear()
        try:
            presets = self._presets.read()
        except StudioError as error:
            presets = {}
            self._complain(str(error))
        for preset in presets.values():
            item = QListWidgetItem(preset.name, self.list)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setData(_NAME, preset.name)
            item.setToolTip(_in_words(preset))
            if preset.name == chosen:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self.empty.setVisible(not presets)
        self._show_buttons()

    def _show_buttons(self, _: object = None) -> None:
        self.save_button.setEnabled(bool(self.name.text().strip()))
        for button in (self.rename_button, self.delete_button):
            button.setEnabled(self.list.currentItem() is not None)

    def _complain(self, sentence: str) -> None:
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))
        if sentence:
            self.reveal(self.note)


def ask_about_presets(
    parent: QWidget, presets: UserPresets, settings: Mapping[str, object]
) -> PresetsDialog:
    """Show the dialog without blocking the window, and return it."""
    dialog = PresetsDialog(presets, settings, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog


def _in_words(preset: Preset) -> str:
    lines = (f"{SETTINGS[n].label}: {text_of(value)}" for n, value in preset.settings.items())
    return "\n".join(lines)
