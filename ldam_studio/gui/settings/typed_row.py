"""The base class of rows whose value can be typed."""

from __future__ import annotations

from abc import abstractmethod

from PyQt6.QtWidgets import QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import restyle
from ldam_studio.gui.settings.number_field import NumberField
from ldam_studio.gui.settings.setting_row import SettingRow
from ldam_studio.sampler.setting import Setting


class TypedRow(SettingRow):
    """A row with a field to type in and a note below it, which says what is wrong with a text."""

    def __init__(self, setting: Setting, field: NumberField, parent: QWidget | None = None) -> None:
        super().__init__(setting, parent)
        self._value: object = setting.default
        self._wrong = False  # whether the note shows an error in the typed text
        self._was_read = False  # whether that error was visible before the focus left
        self._caption = ""
        self.field = field
        self.field.setAccessibleDescription(setting.help)
        self.note = Paragraph()
        self.note.setProperty("role", "muted")
        self.note.hide()
        self.field.editingFinished.connect(self._typed)
        self.field.cancelled.connect(self._restore)
        self.field.left.connect(self._leave)

    @abstractmethod
    def text_of(self, value: object) -> str:
        """Return a value as the field shows it."""

    def read(self, text: str) -> object:
        """Return the value of a typed text; `StudioError` if it is not valid."""
        return self.setting.parse(text)

    def show_value(self, value: object) -> None:
        """Show a value, unless another one is being typed."""
        self._value = value
        if not (self.field.hasFocus() and self.field.isModified()):
            self.field.setText(self.text_of(value))
            self._complain("")

    def set_note(self, text: str) -> None:
        """Set the text below the field; an error replaces it while it is shown."""
        if text != self._caption:
            self._caption = text
            if not self._wrong:
                self._say(text)

    def _typed(self) -> None:
        if not self.field.isModified():
            return
        try:
            value = self.read(self.field.text())
        except StudioError as error:
            # An error that appears while the field is being left has not been read yet.
            self._was_read = self._wrong or self.field.hasFocus()
            self._complain(str(error))
            return
        self.field.setModified(False)
        self._complain("")
        self._accept(value)

    def _leave(self) -> None:
        """Show the current value; an error that has only just appeared stays visible."""
        if self._wrong:
            sentence = "" if self._was_read else self.note.text()
            self._restore()
            self._complain(sentence, in_field=False)
            self._was_read = True

    def _restore(self) -> None:
        self.field.setModified(False)
        self.field.setText(self.text_of(self._value))
        self._complain("")

    def _complain(self, sentence: str, *, in_field: bool = True) -> None:
        wrong = bool(sentence)
        if wrong or self._wrong:
            self._wrong = wrong
            self.field.setProperty("invalid", wrong and in_field)
            self.note.setProperty("role", "danger" if wrong else "muted")
            for widget in (self.field, self.note):
                restyle(widget)
            self._say(sentence or self._caption)

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))
