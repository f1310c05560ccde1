"""What is said of exported files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldam_studio.export.exporting import Exported


def saved(done: Exported) -> str:
    """Return one sentence with the saved files, and a warning if burn-in was not complete."""
    words = f"Saved {done.path}"
    if done.sidecar is not None:
        words += f" and {done.sidecar.name}, which its replay needs"
    if done.weights:
        files = " and ".join(file.name for file in done.overwritten)
        copies = " and ".join(file.name for file in done.weights)
        words += f"; the training overwrites {files}, so that the replay uses {copies}"
    if not done.burned_in:
        words += "; the chains had not burned in yet"
    elif done.settling:
        words += "; the chains were still settling"
    return f"{words}."
