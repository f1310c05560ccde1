"""What must hold whatever was done."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil
from player import Fault, Player
from PyQt6.QtCore import QEvent
from PyQt6.QtWidgets import QApplication
from torch.utils.hooks import RemovableHandle

import left_behind
from ldam_studio.engine.outline import Outline
from ldam_studio.errors import StudioError
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare
from ldam_studio.gui.stragglers import STRAGGLERS

ANSWER_S = 60.0
LEAVE_S = 30.0  # for threads that were told to end, which may be in the midst of a step
LOG = (200, 60)  # entries of the log at most: some, and so many for each action
LONGEST_REPLAY, MOST_REPLAYS = 8000, 6  # steps of a picture that is replayed, and pictures


def check(player: Player) -> None:
    """Compare the window with its session; raises `Fault`."""
    player.settle()
    _shows_the_session(player)
    _leads_back(player)


def _answer(player: Player, question: Callable[[Any], Any]) -> Any:
    """Return what the session answers; None if another session opens meanwhile."""
    controller = player.window.controller
    runner = controller.runner
    answer = controller.ask(question)
    if answer is None:
        return None
    player.until(
        lambda: answer.done() or controller.runner is not runner, ANSWER_S, "no step has ended"
    )
    return answer.result() if answer.done() and not answer.cancelled() else None


def _shows_the_session(player: Player) -> None:
    model = player.window.model
    deadline = time.monotonic() + ANSWER_S
    while (found := _answer(player, lambda state: (state.outline, len(state.log)))) is not None:
        outline, entries = found
        shown = model.outline
        if same(outline, shown):
            some, each = LOG
            if entries > some + each * player.since_open:
                raise Fault(f"{entries} entries in the log after {player.since_open} actions")
            return
        if time.monotonic() > deadline:
            raise Fault("the window does not show the session:\n" + apart(outline, shown))
        player.wait(20)


def _leads_back(player: Player) -> None:
    """Undo everything and do it again; both must lead where they say."""
    window = player.window
    stack = window.controller.undo_stack.stack
    player.note_lost_moments()  # a network may have opened since the last action
    if not player.is_whole:
        return
    first, now, index = player.first_outline, window.model.outline, stack.index()
    undone = [stack.undoText()]
    while stack.index() > player.base:
        undone.append(stack.undoText())
        window.controller.undo()
    _shows_the_session(player)
    if player.first_outline is not first:
        return  # another session, which was on its way, has opened
    if not same(first, window.model.outline):
        said = apart(first, window.model.outline)
        raise Fault(f"undoing everything does not lead to the beginning:\n{said}\n{undone}")
    player.undone += 1
    while stack.index() < index and stack.canRedo():
        window.controller.redo()
    _shows_the_session(player)
    if player.first_outline is not first:
        return
    if not same(now, window.model.outline):
        said = apart(now, window.model.outline)
        raise Fault(f"doing everything again does not lead to what was undone:\n{said}\n{undone}")


def same(one: Outline, other: Outline) -> bool:
    return one == other or repr(values(one)) == repr(values(other))


def values(outline: Outline) -> dict[str, Any]:
    """Return what an outline says, by name; nan equals nan there."""
    found: dict[str, Any] = {f.name: getattr(outline, f.name) for f in fields(outline)}
    for number, lane in enumerate(found.pop("lanes")):
        found[f"{number}.network"] = id(lane.network.module), lane.network.name
        found[f"{number}.neurons"] = lane.neurons
        found |= {
            f"{number}.{f.name}": getattr(lane.settings, f.name) for f in fields(lane.settings)
        }
    return found


def apart(one: Outline, other: Outline) -> str:
    first, second = values(one), values(other)
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return "\n".join(f"  {name}: {first.get(name)!r}, {second.get(name)!r}" for name in names)


def replays(folder: Path) -> tuple[int, list[str]]:
    """Replay exported pictures; return how many, and what went wrong."""
    done, faults = 0, []
    for path in sorted(folder.rglob("*.png")):
        if done == MOST_REPLAYS:
            break
        nearby = Nearby(path.parent, allow_code=True)
        try:
            found = compare(path, nearby, lambda _, total: total <= LONGEST_REPLAY)
        except StudioError as error:
            # A training may have written other weights to its file since, also damaged ones, and a
            # recording may have replaced the photograph that was pushed, or be this file.
            said = str(error)
            replaced = "/checkpoints/" in said or said.startswith("The photograph ")
            replaced = replaced or "is an animation" in said
            if path.stem not in ("empty", "half") and not replaced:
                faults.append(f"{path.name} does not replay: {error}")
            continue
        if found is None:
            continue
        done += 1
        if not found.identical:
            faults.append(f"{path} replays to other pixels (correlation {found.correlation:.4f})")
    return done, faults


class Leftovers:
    """Finds what is there at the end and was not at the beginning."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._handles: list[RemovableHandle] = []
        made, handles = RemovableHandle.__init__, self._handles

        def note(handle: RemovableHandle, *args: object, **keywords: object) -> None:
            made(handle, *args, **keywords)
            handles.append(handle)

        RemovableHandle.__init__ = note

    def found(self) -> list[str]:
        """Wait for what was told to end, and return what is left, in words."""
        deadline = time.monotonic() + LEAVE_S
        while (left := self._running()) and time.monotonic() < deadline:
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            time.sleep(0.02)
        gc.unfreeze()
        gc.collect()
        QApplication.processEvents()
        widgets, ticking, running = left_behind.of_qt(set())
        left += [f"widget {type(w).__name__} {w.objectName()!r}" for w in widgets]
        left += [f"timer of {type(t.parent()).__name__}" for t in ticking]
        left += [f"thread {type(t).__name__} {t.objectName()!r}" for t in running]
        left += [f"hook {name}" for name in left_behind.hooked(self._handles)]
        return [f"left behind: {what}" for what in left]

    def _running(self) -> list[str]:
        since = set(threading.enumerate()) - self._threads
        left = [f"thread {thread.name}" for thread in since if left_behind.runs(thread)]
        left += [f"child {' '.join(child.cmdline())}" for child in psutil.Process().children()]
        return left + [f"straggler {thread.objectName()!r}" for thread in STRAGGLERS]
