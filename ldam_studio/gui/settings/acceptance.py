"""The note below the setting *Kernel*: which share of its steps a kernel accepts."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.sampler.prepare import kernel_of

if TYPE_CHECKING:
    from ldam_studio.engine.frame import LaneFrame
    from ldam_studio.sampler.settings import Settings

REMEMBERED = 200  # steps over which the share is taken
FEW, MANY = 0.2, 0.9


class Acceptance:
    """Counts accepted steps, and says what the share means for the step size."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=REMEMBERED)

    def words(self, frame: LaneFrame, settings: Settings) -> str:
        """Return a sentence about the steps so far; empty for kernels that accept every step."""
        if not kernel_of(settings).rejects:
            self._seen.clear()
            return ""
        tested = frame.trace.acceptance
        self._seen += [float(row.mean()) for row in tested if np.isfinite(row).all()]
        if not self._seen:
            return ""
        share = sum(self._seen) / len(self._seen)
        words = f"Accepts {100 * share:.0f} % of its steps"
        if share < FEW:
            return f"{words}: lower Step size" + (
                ", or turn the clamp off." if settings.clamp else "."
            )
        return f"{words}: larger steps would move faster." if share > MANY else f"{words}."
