"""A real studio that is acted on at random until its process is killed or it closes by itself.

It prints one JSON object a line: what was opened at the start, where the session is a few times a
second, and what is being done to it.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.export.shown import Shown
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.window.window import StudioWindow

STAMP_MS, ACT_MS = 150, 350
LARGE = "torchvision:squeezenet1_0"


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps({"t": time.time(), **what}) + "\n")
    sys.stdout.flush()


def where(state: SessionState) -> tuple[int, int, int]:
    """Return what tells moments of sessions apart: seed, entries of the log, step."""
    return state.seed, len(state.log), state.step


class Actor:
    """Does something at random to a window, several times a second."""

    def __init__(self, window: StudioWindow, random: Random, files: Path, large: Path) -> None:
        from PyQt6.QtCore import QTimer

        self._window, self._random, self._files, self._large = window, random, files, large
        self._has_told = False
        self._timers = []
        window.controller.opening.connect(lambda opening: tell(opening=opening.title))
        window.controller.opened.connect(self._on_opened)
        for ms, act in ((STAMP_MS, self._stamp), (ACT_MS, self._act)):
            timer = QTimer(window)
            timer.timeout.connect(act)
            timer.start(ms)
            self._timers.append(timer)

    def _on_opened(self, opening: Opening) -> None:
        # This is before the first step, and so before anything of the session is saved.
        answer = self._window.controller.ask(where)
        assert answer is not None
        note = " ".join((opening.note, *self._window.banner.texts()))
        name = "stamp" if self._has_told else "began"
        answer.add_done_callback(partial(self._tell, name, note=note))
        self._has_told = True
        tell(opened=opening.title)

    def _stamp(self) -> None:
        answer = self._window.controller.ask(where)
        if answer is not None:
            answer.add_done_callback(partial(self._tell, "stamp"))

    def _tell(self, name: str, answer: Future[tuple[int, int, int]], **more: Any) -> None:
        if not answer.cancelled() and answer.exception() is None:
            tell(**{name: answer.result()}, **more)

    def _act(self) -> None:
        window, random = self._window, self._random
        controller = window.controller
        if controller.runner is None:
            return
        weights = (6, 3, 2, 1, 2, 2, 1, 2, 2, 1, 1, 0.3)
        match random.choices(range(len(weights)), weights)[0]:
            case 0:
                controller.set_value("temperature", round(random.uniform(0.001, 0.05), 4))
            case 1:
                layer, most = random.choice((("conv1", 6), ("fc2", 84), ("fc3", 10)))
                if window.model.outline.lane.network.name == "lenet":
                    controller.set_neurons(Neuron(layer, random.randrange(most)))
            case 2:
                controller.set_value("chains", random.randint(1, 10))
            case 3:
                controller.new_seed()
            case 4:
                controller.melt()
            case 5:
                controller.undo()
            case 6:
                controller.redo()
            case 7:
                controller.toggle()
            case 8:
                self._export()
            case 9:
                window.open(self._opening("lenet", None, "fc3:0-9"))
            case 10:
                if self._large.exists():
                    window.open(self._opening(LARGE, self._large, "classifier.1:130-133"))
            case _:
                tell(closing=True)
                window.close()

    def _opening(self, name: str, weights: Path | None, neurons: str) -> Opening:
        from ldam_studio.gui.session.openings import Opening

        seed = self._random.randrange(2**31)

        def make() -> SessionState:
            return open_session(
                SessionSpec(
                    network=open_network(name, weights),
                    neurons=tuple(parse_neurons(neurons)),
                    settings=Settings.of(),
                    seed=seed,
                    device=choose("cpu"),
                )
            )

        return Opening(f"{name} {seed}", make)

    def _export(self) -> None:
        from ldam_studio.export.exporting import export

        answer = self._window.controller.ask(snapshot)
        if answer is None:
            return
        path = self._files / f"{self._random.randrange(10)}.png"

        def write(done: Future[SessionState]) -> None:
            if not done.cancelled() and done.exception() is None:
                export(done.result(), Shown("raw", 0, "image", None, 1), path)

        answer.add_done_callback(write)


def main() -> int:
    seed, files, large = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    from ldam_studio.gui.app import main as studio
    from ldam_studio.gui.app.start import Start
    from ldam_studio.gui.window.window import StudioWindow

    actors = []
    opened = StudioWindow.open

    def act(window: StudioWindow, opening: Opening) -> None:
        if not actors:
            actors.append(Actor(window, Random(seed), files, large))
        opened(window, opening)

    StudioWindow.open = act  # type: ignore[method-assign]
    return studio.main(Start(choose("cpu")))


if __name__ == "__main__":
    sys.exit(main())
