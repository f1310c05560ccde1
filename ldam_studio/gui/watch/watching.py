"""What a window needs for watching, made when it is first asked for: its start does not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.session.openings import network_opening

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.watch.dialog import WatchDialog
    from ldam_studio.gui.watch.training import WatchTraining
    from ldam_studio.gui.watch.watch import Watch
    from ldam_studio.gui.window.window import StudioWindow
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.weights.checkpoints import Checkpoint


AGAIN = "watch-again"  # the key of that sentence in the message bar


class Watching:
    """The menu entries about watching, and what the window tells them."""

    def __init__(self, window: StudioWindow) -> None:
        self._window = window
        self._watch: Watch | None = None
        self._training: WatchTraining | None = None
        self.left: Path | None = None  # what was watched when the window was closed
        window.controller.opened.connect(self._offer)

    def _offer(self, opening: Opening) -> None:
        """Offer to watch again what was watched when the studio was closed."""
        place, session = opening.watched, self._window.model.session
        if place is None or session is None or not place.exists():
            return

        def again() -> None:
            averaged = len(session.network.provenance.mean_of)
            self.start(place, average=averaged, rounds=session.discriminator_rounds)

        def ask() -> None:
            self._window.banner.dismiss(AGAIN)
            self.ask().suggest(place, opening.watched_as)

        # Another network is in front where the weights of that one are no longer there.
        is_that = opening.watched_as in ("", session.network.name)
        self._window.banner.say(
            f"The checkpoints in {place.name} were watched when the studio was closed.",
            actions=(("Watch again", again if is_that else ask),),
            key=AGAIN,
        )

    @property
    def watch(self) -> Watch:
        """Ties a folder of checkpoints to the window."""
        if self._watch is None:
            from ldam_studio.gui.watch.watch import Watch

            self._watch = Watch(self._window)
            self._window.panels.stage.layout().addWidget(self._watch.bar)
            self.complete()
        return self._watch

    def read_from(self, network: Network) -> tuple[Checkpoint, ...]:
        """Return the checkpoints that a network was read from while it was watched, if it was."""
        return () if self._watch is None else self._watch.read_from(network)

    @property
    def training(self) -> WatchTraining:
        """Starts trainings of the studio's own."""
        if self._training is None:
            from ldam_studio.gui.watch.training import WatchTraining

            self._training = WatchTraining(self._window, self.watch)
        return self._training

    def complete(self) -> None:
        """Put the panel of what can be set where it belongs, once there is such a place."""
        if self._watch is not None and self._window.panels.controls is not None:
            self._watch.complete()

    def ask(self) -> WatchDialog:
        """Ask what is to be watched."""
        from ldam_studio.gui.watch.dialog import ask_what_to_watch

        return ask_what_to_watch(self._window, self.start)

    def start(
        self, place: Path, network: Network | None = None, average: int = 0, rounds: int = 0
    ) -> None:
        """Watch a folder or file of checkpoints.

        Parameters
        ----------
        network
            Opened for it; None is the one in front, whose chains go on.
        average
            How many checkpoints the shown weights are the mean of; 0 or 1 for none.
        rounds
            How many rounds the discriminator learns after each checkpoint.
        """
        from ldam_studio.gui.watch.timeline import Plan

        window, opening = self._window, None
        window.banner.dismiss(AGAIN)
        if network is not None:
            opening = network_opening(network, window.device, window.data)
        self.watch.start(Plan(place, average, rounds), opening)

    def train(self) -> None:
        """Train LeNet on MNIST and watch it."""
        self.training.start()

    def leave(self) -> None:
        """Ask all that was started to end; returns at once."""
        if self._watch is not None:
            plan = self._watch.plan
            self.left = None if plan is None else plan.place
            self._watch.stop()
        if self._training is not None:
            self._training.leave()

    def close(self) -> None:
        """Wait until nothing of it runs."""
        if self._watch is not None:
            self._watch.close()
        if self._training is not None:
            self._training.close()
