"""A panel whose content is made when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from PyQt6.QtWidgets import QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtGui import QShowEvent

Content = TypeVar("Content", bound=QWidget)


class Later(QWidget, Generic[Content]):
    """Makes its content when it is first shown or asked for, so that it delays no start.

    Parameters
    ----------
    make
        Imports what the content needs, and returns it.
    """

    def __init__(self, make: Callable[[], Content]) -> None:
        super().__init__()
        self._make = make
        self._content: Content | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._column = column

    @property
    def content(self) -> Content:
        """The content, made now if it was not."""
        if self._content is None:
            self._content = self._make()
            self._column.addWidget(self._content)
            self._content.show()
        return self._content

    def showEvent(self, event: QShowEvent | None) -> None:
        """Make the content."""
        assert self.content is not None
        super().showEvent(event)
