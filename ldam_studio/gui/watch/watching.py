"""The actions for watching; the bar and the panel are made when they are first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.studio import Entry, Feature, Studio

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.watch.dialog import WatchDialog
    from ldam_studio.gui.watch.training import WatchTraining
    from ldam_studio.gui.watch.watch import Watch
    from ldam_studio.networks.network import Network

WATCH = Entry(
    "watch",
    "Watch Checkpoints…",
    "Ctrl+Shift+W",
    "Watch a network while it learns: the running chains get each new checkpoint",
)
WATCH_MNIST = Entry(
    "watch_mnist",
    "Watch MNIST Being Learnt",
    "Ctrl+Shift+M",
    "Train LeNet on MNIST in the background, and watch its neurons change",
)
AGAIN = "watch-again"  # the key of that notice
NAME = "watching"  # in `Opening.remembered`


class Watching(Feature):
    """Watches a folder of checkpoints, or a training of the studio's own."""

    entries = (WATCH, WATCH_MNIST)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._watch: Watch | None = None
        self._training: WatchTraining | None = None
        self._left: Path | None = None  # what was watched when the window began to close
        places = studio.places
        places.add_to_menu(
            "File", places.action(WATCH, self.ask), places.action(WATCH_MNIST, self.train)
        )
        studio.controller.opened.connect(self._offer)

    def _offer(self, opening: Opening) -> None:
        """Offer to watch the training again that was watched when the studio was closed."""
        studio, known = self.studio, opening.remembered.get(NAME, {})
        place = Path(str(known.get("place") or ""))
        if place == Path() or not os.path.exists(place):  # also where no path can be like that
            return
        outline, name = studio.model.outline, str(known.get("network", ""))

        def again() -> None:
            averaged = len(outline.lane.network.provenance.mean_of)
            self.start(place, average=averaged, rounds=outline.discriminator_rounds)

        def ask() -> None:
            studio.notices.dismiss(AGAIN)
            self.ask().suggest(place, name)

        # Another network is open if the weights of the watched one are gone.
        is_that = name in ("", outline.lane.network.name)
        studio.notices.say(
            f"The checkpoints in {place.name} were watched when the studio was closed.",
            actions=(("Watch again", again if is_that else ask),),
            key=AGAIN,
        )

    @property
    def watch(self) -> Watch:
        """The object that watches checkpoints; made, with its bar and panel, at the first use."""
        if self._watch is None:
            from ldam_studio.gui.watch.watch import Watch

            self._watch = Watch(self.studio)
            self.studio.places.add_bar(self._watch.bar, above=False)
            self.studio.places.add_panel("controls", self._watch.panel, first=True)
        return self._watch

    @property
    def training(self) -> WatchTraining:
        """The object that starts trainings; made at the first use."""
        if self._training is None:
            from ldam_studio.gui.watch.training import WatchTraining

            self._training = WatchTraining(self.studio, self.watch)
        return self._training

    def ask(self) -> WatchDialog:
        """Show the dialog that asks what to watch."""
        from ldam_studio.gui.watch.dialog import ask_what_to_watch

        return ask_what_to_watch(self.studio, self.start)

    def start(
        self, place: Path, network: Network | None = None, average: int = 0, rounds: int = 0
    ) -> None:
        """Watch a folder or file of checkpoints.

        Parameters
        ----------
        place
            The folder or file.
        network
            The network to open for it; None for the current one, whose chains continue.
        average
            Number of checkpoints whose mean is shown; 0 or 1 shows single checkpoints.
        rounds
            Number of rounds that the discriminator learns after each checkpoint.
        """
        from ldam_studio.gui.watch.timeline import Plan

        studio, opening = self.studio, None
        studio.notices.dismiss(AGAIN)
        if network is not None:
            opening = network_opening(network, studio.device, studio.data)
        self.watch.start(Plan(place, average, rounds), opening)

    def train(self) -> None:
        """Train LeNet on MNIST and watch it."""
        self.training.start()

    def remember(self) -> Mapping[str, Any]:
        """Return the folder or file that was watched, and the network's name."""
        model = self.studio.model
        place = self._left or self._place()
        if place is None or not model.is_open:
            return {}
        return {"place": str(place), "network": model.outline.lane.network.name}

    def leave(self) -> None:
        """Stop watching and end the training; returns at once."""
        if self._watch is not None:
            self._left = self._place()
            self._watch.stop()
        if self._training is not None:
            self._training.leave()

    def _place(self) -> Path | None:
        """Return what is watched at present."""
        plan = None if self._watch is None else self._watch.plan
        return None if plan is None else plan.place

    def close(self) -> None:
        """Wait until all threads and processes have ended."""
        if self._watch is not None:
            self._watch.close()
        if self._training is not None:
            self._training.close()
