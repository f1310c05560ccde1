"""Watches a training: the running chains get each new checkpoint, or play them back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.watching import process
from ldam_studio.engine.watching.news import News, Swap
from ldam_studio.engine.watching.watcher import MOST_CHECKPOINTS
from ldam_studio.gui.session.read_from import name_of
from ldam_studio.gui.watch.bar import WatchBar
from ldam_studio.gui.watch.panel import WatchPanel
from ldam_studio.gui.watch.pin import Pin
from ldam_studio.gui.watch.player import Player
from ldam_studio.gui.watch.reading import Reading
from ldam_studio.gui.watch.timeline import Plan, Timeline, empty_words

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.network import Network

NOTICE, TROUBLE = "watch", "watch-trouble"  # keys of messages


class Watch(QObject):
    """Connects a watcher of checkpoints to the session, the timeline and the panel."""

    ended = pyqtSignal()

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.places.root)
        self._studio = studio
        self.bar = WatchBar()
        self.panel = WatchPanel()
        self.plan: Plan | None = None
        self.news: News | None = None
        self.swap: Swap | None = None
        self.reading = Reading(self)
        self._network: Network | None = None
        self._pending: tuple[Opening, Plan] | None = None
        self._wished: Path | None = None  # the requested checkpoint; None follows the newest
        self._waits = False  # whether the requested checkpoint is still being read
        self._pin = Pin(studio)
        self._said: dict[str, str] = {}  # messages by key
        self.player = Player(self.bar, self._show, lambda: self._waits, self)
        self.reading.told.connect(self._on_news)
        self.reading.swapped.connect(self._on_swap)
        self._connect()

    def _connect(self) -> None:
        bar, studio = self.bar, self._studio
        bar.hide()
        self.panel.hide()
        bar.plot.wanted.connect(self._scrubbed)
        bar.plot.newest.connect(self.follow)
        bar.plot.toggled.connect(lambda: self.play(not self.player.is_on))
        bar.played.connect(self.play)
        bar.followed.connect(lambda on: self.follow() if on else self._stay())
        bar.pin_asked.connect(self.pin)
        bar.closed.connect(self.stop)
        studio.controller.opening.connect(self._on_opening)
        studio.controller.opened.connect(self._on_opened)
        studio.model.session_changed.connect(self._on_session)
        studio.model.value_changed.connect(self._show_rounds)
        studio.model.comparison_changed.connect(self._on_comparison)
        self.panel.scale_chosen.connect(bar.plot.show_scale)
        self.panel.averaging_chosen.connect(self._average_chosen)
        self.panel.rounds_chosen.connect(
            partial(studio.controller.set_value, "discriminator_rounds")
        )

    # Beginning and ending

    def start(self, plan: Plan, opening: Opening | None = None) -> None:
        """Watch with the current session, whose chains continue, or with one that is opened."""
        if opening is not None:
            self._pending = (opening, plan)
            self._studio.open(opening)
            return
        model = self._studio.model
        if not model.is_open:
            self._studio.notices.say("Open a network first, then watch its checkpoints.", "warning")
            return
        self.stop()
        self._begin(plan, model.outline.lane.network)

    @property
    def is_on(self) -> bool:
        """Whether a training is being watched."""
        return self.reading.watcher is not None

    def stop(self) -> None:
        """Stop watching; the chains continue with the network as it is."""
        if self.reading.stop():
            self._clear()

    def close(self) -> None:
        """Stop, and wait until all threads have ended."""
        self.stop()
        self.reading.close()

    def _begin(self, plan: Plan, network: Network) -> None:
        self.plan, self._network = plan, network
        watcher = self.reading.prepare(network, plan)
        bar = self.bar
        bar.plot.show_timeline(Timeline())
        bar.plot.show_current(None)
        bar.plot.set_empty(f"Waiting for the first checkpoint in {plan.place}")
        bar.show_title(plan.title, tip=str(plan.place))
        bar.close_button.setToolTip(
            "End the training and stop watching"
            if plan.own
            else "Stop watching; the chains continue with the network as it is"
        )
        bar.show_skipped(())
        bar.show_playing(False)
        bar.follow.setChecked(True)
        bar.show()
        self._studio.controller.set_values({"discriminator_rounds": plan.rounds}, note=False)
        self._show_panel()
        self._show_pin()
        watcher.start()

    def _clear(self) -> None:
        self.player.stop()
        self.plan = self.news = self.swap = self._network = self._wished = None
        self._waits = False
        self.bar.hide()
        for key in (NOTICE, TROUBLE):
            self._say(key, "")
        self._pin.forget()
        self._show_pin()
        self._show_panel()
        self.ended.emit()

    def _on_opening(self, opening: Opening) -> None:
        self.stop()
        if self._pending is not None and self._pending[0] is not opening:
            self._pending = None

    def _on_opened(self, opening: Opening) -> None:
        if self._pending is None or self._pending[0] is not opening:
            return
        plan, self._pending = self._pending[1], None
        self._begin(plan, self._studio.model.outline.lane.network)

    def _on_session(self) -> None:
        """Stop watching if another network was opened, not only other weights of the same."""
        if self._network is not None:
            self._show_rounds()
            if self._studio.model.outline.lane.network.listing is not self._network.listing:
                self.stop()

    def _on_comparison(self) -> None:
        if self._pin.follow():
            self._show_pin()
            self._show_current()

    # What the user asks for

    def follow(self) -> None:
        """Show the newest checkpoint, and each new one."""
        watcher = self.reading.watcher
        if watcher is None:
            return
        self.player.stop()
        self.bar.follow.setChecked(True)
        self._wished, self._waits = None, False
        watcher.follow()
        self._show_current()

    def play(self, on: bool) -> None:
        """Play the checkpoints from the current one on, or stop playing."""
        if on:
            self.player.start()
        else:
            self.player.stop()

    def pin(self, on: bool) -> None:
        """Pin the checkpoint that is shown, or unpin the pinned one."""
        if not on:
            self._pin.release()
        elif self.swap is not None and self._pin.is_free():
            here = self.bar.plot.timeline.index(self.swap.checkpoint.path)
            if self._is_in_trouble() and here is not None:
                self._show(here)  # pin the checkpoint that the chains have
            self._pin.keep(self.swap)
        self._show_pin()
        self._show_current()

    def _scrubbed(self, index: int) -> None:
        self.player.stop()
        self._show(index)

    def _stay(self) -> None:
        """Stay at the checkpoint that is shown."""
        if self.bar.plot.current is not None:
            self._show(self.bar.plot.current)
        self.bar.follow.setChecked(self.bar.plot.current is None)

    def _show(self, index: int) -> None:
        watcher = self.reading.watcher
        if watcher is None:
            return
        checkpoint = self.bar.plot.timeline.checkpoints[index]
        self._wished = checkpoint.path
        shown = self.swap is not None and self.swap.checkpoint == checkpoint
        self._waits = not shown and not self._is_in_trouble()
        self.bar.follow.setChecked(False)
        watcher.show(checkpoint)
        self._show_current()

    def _average_chosen(self, count: int) -> None:
        watcher = self.reading.watcher
        if watcher is not None and self.plan is not None and not self.plan.own:
            watcher.set_average(count)

    # What the watcher reports

    def _on_news(self, news: News) -> None:
        if self.plan is None:
            return
        # The sentences name files without their folder, which would fill the whole line.
        short = {path: s.replace(str(path), path.name) for path, s in news.troubles.items()}
        news = replace(news, troubles=short)
        before, self.news = self.news, news
        known = {checkpoint.path for checkpoint in news.checkpoints}
        laid_out = None if before is None else (before.checkpoints, before.troubles)
        if laid_out != (news.checkpoints, news.troubles):
            self.bar.plot.show_timeline(Timeline.of(news.checkpoints, news.troubles))
        if self._wished in news.troubles:
            self._waits = False
        self.bar.plot.set_empty(empty_words(self.plan.place, news))
        files = {path: f"{path.name} {why}" for path, why in news.skipped.items()}
        files |= {path: why for path, why in news.troubles.items() if path in known}
        self.bar.show_skipped(sentence for _path, sentence in sorted(files.items()))
        if news.notice:
            self.bar.show_title(news.notice, "danger")
        else:
            self.bar.show_title(self.plan.title, tip=str(self.plan.place))
        self._say(NOTICE, news.notice)
        newest = news.checkpoints[-1].path if news.checkpoints else None
        trouble = "" if newest is None else news.troubles.get(newest, "")
        self._say(TROUBLE, trouble if news.following else "")
        self._show_current()

    def _on_swap(self, swap: Swap) -> None:
        self.swap, self._network = swap, swap.network
        self._studio.read_from.note(swap.network, swap.averaged)
        if self._wished == swap.checkpoint.path:
            self._waits = False
        restart = self.panel.restart.isChecked()
        self._studio.controller.set_weights(swap.network, restart=restart)
        self._show_pin()
        self._show_current()

    def _is_in_trouble(self) -> bool:
        """Return whether the requested checkpoint cannot be shown."""
        return self.news is not None and self._wished in self.news.troubles

    def _say(self, key: str, sentence: str) -> None:
        """Show a message once; an empty sentence closes the message with this key."""
        if self._said.get(key, "") == sentence:
            return
        self._said[key] = sentence
        if sentence:
            self._studio.notices.say(sentence, "warning", key=key)
        else:
            self._studio.notices.dismiss(key)

    # Showing

    def _show_current(self) -> None:
        plot = self.bar.plot
        shown = None if self.swap is None else self.swap.checkpoint.path
        current = plot.timeline.index(self._wished or shown)
        running = "" if self.swap is None else name_of(self.swap.checkpoint)
        plot.show_current(current, plot.timeline.index(self._pin.path), running)

    def _show_pin(self) -> None:
        self.bar.pin.setEnabled(self.swap is not None or self._pin.is_on)
        self.bar.pin.setChecked(self._pin.is_on)

    def _show_panel(self) -> None:
        self.panel.setVisible(self.plan is not None)
        if self.plan is not None:
            own = self.plan.own
            self.panel.set_training(own, process.LONGEST_AVERAGING if own else MOST_CHECKPOINTS)
            self.panel.show_averaging(self.plan.average)
            self._show_rounds()

    def _show_rounds(self, name: str = "discriminator_rounds") -> None:
        if name in ("discriminator_rounds", "discriminator"):
            outline = self._studio.model.outline
            rounds = outline.discriminator_rounds
            self.panel.show_rounds(rounds, outline.discriminator is not None)
