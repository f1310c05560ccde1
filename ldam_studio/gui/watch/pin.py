"""The checkpoint that is kept beside those that come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.session.read_from import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.watching.news import Swap
    from ldam_studio.gui.studio import Studio


class Pin:
    """Keeps one checkpoint beside those that come, as a comparison."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._swap: Swap | None = None

    @property
    def is_on(self) -> bool:
        """Whether a checkpoint is kept."""
        return self._swap is not None

    @property
    def path(self) -> Path | None:
        """The file of the checkpoint that is kept."""
        return None if self._swap is None else self._swap.checkpoint.path

    def is_free(self) -> bool:
        """Return whether a checkpoint can be kept; where not, say why."""
        if self.is_on or not self._studio.model.is_comparing:
            return True
        self._studio.notices.say(
            "Two networks are compared already; end that comparison, then pin.", "warning"
        )
        return False

    def keep(self, swap: Swap) -> None:
        """Keep a checkpoint."""
        self._swap = swap
        self._studio.controller.compare(swap.network, title=name_of(swap.checkpoint), restart=False)

    def release(self) -> None:
        """Keep it no longer, and end its comparison."""
        if self._swap is not None:
            self._swap = None
            self._studio.controller.end_comparison()

    def forget(self) -> None:
        """Keep it no longer; its comparison stays."""
        self._swap = None

    def follow(self) -> bool:
        """Forget it where its comparison was ended, or is with another; return whether it was."""
        beside = [lane.network for lane in self._studio.model.outline.lanes[1:]]
        if self._swap is None or self._swap.network in beside:
            return False
        self._swap = None
        return True
