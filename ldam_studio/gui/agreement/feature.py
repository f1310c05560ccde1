"""Connects the panel to the session, and judges the chains on a thread of its own."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.explore.agreement.neurons import NeuronVerdict, verdicts_of
from ldam_studio.explore.agreement.verdict import Kind
from ldam_studio.gui.agreement.panel import AgreementPanel
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.gui.theme.paint import Badge

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening

ASK = Entry(
    "agreement",
    "Do the Chains Agree?",
    "Ctrl+4",
    "Say whether the chains of each neuron agree",
    needs_session=True,
)
ALWAYS = Entry(
    "agreement_always",
    "Watch It All the Time",
    tip="Judge the chains while the panel is hidden, too, and say it beside the average",
    checkable=True,
)
LOOK_MS = 500
EVERY_S = 2.0  # at least, between two judgements
SHARE = 15  # at least as many times the time that a judgement took
BADGES = {
    Kind.AGREE: Badge("chains agree", "success"),
    Kind.DISAGREE: Badge("chains disagree", "danger"),
    Kind.STUCK: Badge("stuck chains", "warning"),
}
CHAINS = 4
GUIDE = "Exploring"


class Agreement(Feature):
    """Adds the panel "Agreement" below the images, and a badge to the average."""

    entries = (ASK, ALWAYS)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        model, places = studio.model, studio.places
        self.panel = AgreementPanel()
        self._recorder = Recorder()
        self._task: Task | None = None
        self._due, self._judged = 0.0, -1
        self._timer = QTimer(self.panel)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        places.add_tab("Agreement", self.panel)
        ask = places.action(ASK, partial(places.show_tab, self.panel))
        self._always = places.action(ALWAYS)
        self._always.toggled.connect(self._turn)
        places.add_to_menu("Explore", ask, self._always)
        self.panel.seen.connect(self._turn)
        self.panel.front_wanted.connect(studio.controller.set_front)
        self.panel.more_wanted.connect(self._start_more)
        self.panel.help_wanted.connect(lambda: studio.show_help(GUIDE))
        studio.controller.opening.connect(self._close_session)
        model.session_changed.connect(self._clear)
        model.neurons_changed.connect(self._clear)
        model.acting_changed.connect(self._clear)
        model.front_changed.connect(self._show_front)
        studio.controller.observe(self._recorder)

    @property
    def is_watching(self) -> bool:
        """Whether the chains are watched at present."""
        return self.panel.isVisible() or self._always.isChecked()

    def remember(self) -> dict[str, bool]:
        """Remember whether the chains are judged all the time."""
        return {"always": self._always.isChecked()}

    def leave(self) -> None:
        """Judge no more."""
        self._timer.stop()
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _turn(self, _on: object = None) -> None:
        """Begin or stop to watch."""
        watching = self.is_watching
        self._recorder.wanted = watching
        if watching and not self._timer.isActive():
            self._timer.start()
            self._due = 0.0
        elif not watching:
            self._timer.stop()
            self.studio.places.show_average_badge(ASK.name, None)

    def _close_session(self, opening: Opening) -> None:
        self._clear()
        if opening.remembered.get("agreement", {}).get("always") is True:
            self._always.setChecked(True)

    def _clear(self, _any: object = None) -> None:
        """Forget the verdicts, because the chains have another target."""
        self._judged, self._due = -1, 0.0
        if self._task is not None:
            self._task.leave()
            self._task = None
        self.panel.clear()
        self._show_front(self.studio.model.front)

    def _look(self) -> None:
        """Judge the chains anew if that is due, and something has happened since."""
        if self._task is not None or time.monotonic() < self._due or not self.studio.model.is_open:
            return
        if self._recorder.step == self._judged:
            return
        self._judged = self._recorder.step
        model = self.studio.model
        settings = model.acted.settings
        # A group of chains shows one of several images, as one chain does.
        over_time = settings.average_over == "time" or isinstance(settings.average_group, tuple)
        lane = model.acting or 0
        self._task = Task(partial(_judge, self._recorder, lane, over_time))
        self._task.done.connect(self._take)
        self._task.failed.connect(self._fail)
        self._task.start()

    def _take(self, found: tuple[float, tuple[NeuronVerdict, ...]]) -> None:
        cost, verdicts = found
        self._task = None
        self._due = time.monotonic() + max(EVERY_S, SHARE * cost)
        neurons = self.studio.model.acted.neurons
        if any(v.chains[-1] >= len(neurons) or neurons[v.chains[0]] != v.neuron for v in verdicts):
            self._judged = -1  # the session has not yet turned to the present neurons
            return
        self.panel.show_verdicts(verdicts)
        self._show_front(self.studio.model.front)

    def _fail(self, error: Exception) -> None:
        self._task = None
        self._due = time.monotonic() + EVERY_S
        self.panel.clear(f"The chains could not be judged: {error}")

    def _show_front(self, chain: int) -> None:
        self.panel.set_front(chain)
        found = self.panel.verdict_in_front()
        shown = found is not None and self.is_watching
        badge = BADGES.get(found.verdict.kind) if found is not None and shown else None
        self.studio.places.show_average_badge(ASK.name, badge)

    def _start_more(self) -> None:
        """Give all chains the neuron in front, so that they can be compared."""
        model, controller = self.studio.model, self.studio.controller
        neuron = model.acted.neurons[model.front]
        controller.set_neurons((neuron,) * max(CHAINS, model.chains))


def _judge(
    recorder: Recorder, lane: int, over_time: bool, task: Task
) -> tuple[float, tuple[NeuronVerdict, ...]]:
    """Judge the chains of a lane; return the seconds that it took, and the verdicts."""
    began = time.thread_time()
    records = recorder.records()
    if lane >= len(records):
        return 0.0, ()
    found = verdicts_of(records[lane], over_time=over_time, proceed=lambda: task.progress(0, 1))
    return time.thread_time() - began, found
