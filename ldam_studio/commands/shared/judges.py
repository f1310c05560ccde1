"""Opening a judge for a command, with a progress bar if it has to be trained first."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.analysis import judging
from ldam_studio.commands.shared.progress import TrainingBar
from ldam_studio.networks.models.judges import Judge


def open_judge(
    data: Path | None = None, download: bool = False, kind: judging.JudgeKind = judging.DIGITS
) -> Judge:
    """Return a judge as `judging.open_judge` does, and show its training if there is one."""
    with TrainingBar("judge") as bar:
        return judging.open_judge(data, download, kind, bar)
