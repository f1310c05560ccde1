"""Everything to be reported with a session's next frame: measurements, marks and notices."""

from __future__ import annotations

from collections import deque

from ldam_studio.engine.advance import StepInfo
from ldam_studio.engine.frame import Frame, FrameRequest, make_frame
from ldam_studio.engine.state import SessionState

TRACE_STEPS = 4096  # kept for the next frame; limits memory while a hidden window requests none


class Reports:
    """Collects what happens between two frames."""

    def __init__(self) -> None:
        self._infos: deque[StepInfo] = deque(maxlen=TRACE_STEPS)
        self._notices: list[str] = []
        self._frames = 0

    def add(self, info: StepInfo) -> None:
        """Store what one call of `advance` returned."""
        if info.lanes or info.told:
            self._infos.append(info)
        self._notices.extend(info.refused)

    def say(self, notice: str) -> None:
        """Store a sentence to be shown to the user."""
        self._notices.append(notice)

    def go_back_to(self, step: int) -> None:
        """Discard what was stored about steps after `step`, because they were undone."""
        while self._infos and self._infos[-1].step > step:
            self._infos.pop()

    def forget_steps(self) -> None:
        """Discard what was stored about all steps, because the session was replaced."""
        self._infos.clear()

    def frame(
        self,
        state: SessionState,
        request: FrameRequest,
        *,
        steps_per_second: float,
        commands_seen: int,
    ) -> Frame:
        """Return the next frame, with everything since the last one."""
        self._frames += 1
        infos, notices = list(self._infos), list(self._notices)
        self._infos.clear()
        self._notices.clear()
        learner = state.learner
        return make_frame(
            state,
            request,
            number=self._frames,
            infos=infos,
            notices=notices,
            steps_per_second=steps_per_second,
            lesson=None if learner is None else learner.last_round,
            commands_seen=commands_seen,
        )
