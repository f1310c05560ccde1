"""The pinned checkpoint: a comparison of later checkpoints with an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.session.read_from import name_of

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.watching.news import Swap
    from ldam_studio.gui.studio import Studio


class Pin:
    """Keeps one checkpoint as the second network of a comparison."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._swap: Swap | None = None

    @property
    def is_on(self) -> bool:
        """Whether a checkpoint is pinned."""
        return self._swap is not None

    @property
    def path(self) -> Path | None:
        """The file of the pinned checkpoint; None if there is none."""
        return None if self._swap is None else self._swap.checkpoint.path

    def is_free(self) -> bool:
        """Return whether a checkpoint can be pinned; if not, show a message with the reason."""
        if self.is_on or not self._studio.model.is_comparing:
            return True
        self._studio.notices.say(
            "Two networks are being compared already; end that comparison first, then pin.",
            "warning",
        )
        return False

    def keep(self, swap: Swap) -> None:
        """Pin a checkpoint, and compare with it."""
        self._swap = swap
        self._studio.controller.compare(swap.network, title=name_of(swap.checkpoint), restart=False)

    def release(self) -> None:
        """Unpin the checkpoint, and end its comparison."""
        if self._swap is not None:
            self._swap = None
            self._studio.controller.end_comparison()

    def forget(self) -> None:
        """Unpin the checkpoint, but leave its comparison."""
        self._swap = None

    def follow(self) -> bool:
        """Unpin a checkpoint that is no longer compared; return whether there was one."""
        beside = [lane.network for lane in self._studio.model.outline.lanes[1:]]
        if self._swap is None or self._swap.network in beside:
            return False
        self._swap = None
        return True
