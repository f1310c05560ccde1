"""What was asked of a session and is not in the outline that it told last."""

from __future__ import annotations

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import Outline
from ldam_studio.errors import StudioError


class Pending:
    """Changes that the session has not seen yet, in the order in which they were posted.

    Going back to an earlier moment is among them, as the outline of that moment. Changes that are
    held are posted later, once something that they need is there.
    """

    def __init__(self) -> None:
        self._posted: list[tuple[int, Change | Outline]] = []
        self._later: dict[str, Change] = {}

    def add(self, number: int, change: Change | Outline) -> None:
        """Remember what was posted as the command of this number."""
        self._posted.append((number, change))

    def forget_seen(self, number: int) -> None:
        """Forget commands up to this number: what the session tells has them."""
        self._posted = [entry for entry in self._posted if entry[0] > number]

    def hold(self, change: Change) -> None:
        """Remember a change that is posted later, in place of an earlier one of the same name."""
        self._later[change.name] = change

    def release(self, name: str) -> None:
        """Forget the change of this name that is held, if there is one."""
        self._later.pop(name, None)

    def release_all(self) -> tuple[Change, ...]:
        """Return the changes that were held; from now on, none is."""
        later, self._later = tuple(self._later.values()), {}
        return later

    def clear(self) -> None:
        """Forget everything, as for another session."""
        self._posted, self._later = [], {}

    def on_top_of(self, told: Outline) -> Outline:
        """Return the outline that will be once all of them are made.

        One that cannot be made is left out, as the session will leave it out.
        """
        for change in (*(change for _, change in self._posted), *self._later.values()):
            if isinstance(change, Outline):
                told = change
                continue
            try:
                told = told.after(change)
            except StudioError:
                pass  # the session says so in a notice
        return told
