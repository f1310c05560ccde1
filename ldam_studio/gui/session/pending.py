"""Commands that were posted to a session and that its last frame has not seen yet."""

from __future__ import annotations

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import Outline
from ldam_studio.errors import StudioError


class Pending:
    """Changes that the session has not made yet, in the order in which they were posted.

    A return to an earlier moment is kept as the outline of that moment. Held changes have not been
    posted yet: they wait for an import that they need.
    """

    def __init__(self) -> None:
        self._posted: list[tuple[int, Change | Outline]] = []
        self._later: dict[str, Change] = {}

    def add(self, number: int, change: Change | Outline) -> None:
        """Remember a posted command: its number, and its change or the outline it returns to."""
        self._posted.append((number, change))

    def forget_seen(self, number: int) -> None:
        """Forget the commands up to this number, because the session's outline contains them."""
        self._posted = [entry for entry in self._posted if entry[0] > number]

    def hold(self, change: Change) -> None:
        """Remember a change to post later; it replaces an earlier one of the same name."""
        self._later[change.name] = change

    def release(self, name: str) -> None:
        """Forget the held change of this name, if there is one."""
        self._later.pop(name, None)

    def release_all(self) -> tuple[Change, ...]:
        """Return all held changes, and forget them."""
        later, self._later = tuple(self._later.values()), {}
        return later

    def clear(self) -> None:
        """Forget everything, because another session has been opened."""
        self._posted, self._later = [], {}

    def on_top_of(self, told: Outline) -> Outline:
        """Return the outline `told` by the session, as it will be after all pending changes.

        A change that cannot be made is skipped, as the session will skip it.
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
