"""Connects the tab with a judge's verdict to the session."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ldam_studio.errors import StudioError
from ldam_studio.explore.classes import confidence_words
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.gui.theme.paint import Badge

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QLabel

    from ldam_studio.explore.verdict.judge import Judge
    from ldam_studio.explore.verdict.verdict import Averages, Rounds, Verdict
    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.gui.verdict.panel import VerdictPanel
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.sources.request import NetworkRequest

EVERY_MS = 1000
WAIT_S = 30  # longest wait for a step that is in progress
LONGEST_NAME = 16  # of a class beside the title of the average, in characters

OPEN = Entry(
    "open_judge",
    "Open Judge…",
    "",
    "Let a second network of the same classes name the drawn images",
    needs_session=True,
)
SHOW = Entry(
    "show_verdict",
    "Verdict",
    "",
    "Show what a judge, or the network itself, names the drawn images",
    needs_session=True,
)


class JudgeVerdicts(Feature):
    """Asks a judge once a second what it sees.

    While the tab is hidden, a judge that is open names the front chain's average alone, in a badge
    beside its title; the explained network itself is asked nothing then.
    """

    entries = (SHOW, OPEN)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places = studio.places
        self.panel: VerdictPanel | None = None
        self.judge: Judge | None = None
        """The judge that is asked; the network itself where there is no other."""
        self._presented: QLabel | None = None
        self._explained: Network | None = None
        self._rounds: Rounds | None = None
        self._opening: Task | None = None
        self._asking: Task | None = None
        self._seen: tuple[object, ...] = ()
        self._timer = QTimer(places.root)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self._look)
        places.add_to_menu("Explore", places.action(SHOW, self.show), places.action(OPEN, self.ask))
        studio.model.session_changed.connect(self._follow)
        studio.model.weights_changed.connect(self._follow)
        studio.model.front_changed.connect(lambda _chain: self._turn())
        studio.model.neurons_changed.connect(self._turn)

    def show(self) -> None:
        """Show the tab; the shipped judge is opened where there is one."""
        panel = self._made_panel()
        self.studio.places.show_tab(panel)
        if self.judge is None and self._opening is None:
            self._open_first()
        self._look()

    def ask(self) -> NetworkDialog:
        """Show the dialog for a judge, and return it."""
        from ldam_studio.gui.network_dialog.ask import ask_for_judge
        from ldam_studio.networks.sources.request import NetworkRequest

        network = self.studio.model.outline.lane.network
        request = NetworkRequest.like(network)
        return ask_for_judge(self.studio.places.root, self.open_network, request)

    def open_network(self, network: Network, _request: NetworkRequest | None = None) -> None:
        """Let a network judge; one of other classes is refused in a sentence."""
        from ldam_studio.explore.verdict.judge import judge_of

        try:
            judge = judge_of(self.studio.model.outline.lane.network, network)
        except StudioError as error:
            self.studio.notices.say(str(error), "danger")
            return
        self._leave_opening()
        self._take(self.studio.model.outline.lane.network, judge)
        self.show()

    def leave(self) -> None:
        """End what is being opened or judged."""
        self._timer.stop()
        self._leave_opening()
        self._leave_asking()

    def _made_panel(self) -> VerdictPanel:
        if self.panel is None:
            from ldam_studio.gui.verdict.panel import VerdictPanel, presented_line

            panel = self.panel = VerdictPanel()
            panel.asked.connect(self.ask)
            panel.closed.connect(self._close_judge)
            self._presented = presented_line()
            self.studio.places.add_to_presentation(self._presented)
            self.studio.places.add_tab("Verdict", panel)
            self._timer.start()
        return self.panel

    # The judge

    def _follow(self) -> None:
        """Go on with the judge for another network if it knows its classes."""
        network = self.studio.model.outline.lane.network
        if self.panel is None or network is self._explained:
            return
        before = self.judge
        self._leave_asking()
        self._forget()
        if before is not None and not before.is_same:
            from ldam_studio.explore.verdict.judge import judge_of

            try:
                self._take(network, judge_of(network, before.network))
            except StudioError:
                before = None
            else:
                return
        if self.panel.isVisible():
            self._open_first()

    def _open_first(self) -> None:
        """Open the shipped judge, or let the network judge itself until another is opened."""
        from ldam_studio.explore.verdict.judge import own_judge, shipped_judge

        network = self.studio.model.outline.lane.network
        self._made_panel().show_text("Opening the judge …")
        self._leave_opening()
        task = self._opening = Task(lambda _task: shipped_judge(network) or own_judge(network))
        task.setObjectName("judge")
        task.done.connect(partial(self._take, network))
        task.failed.connect(lambda error: self._made_panel().show_text(str(error)))
        task.start()

    def _close_judge(self) -> None:
        """Let the network itself say what it sees."""
        from ldam_studio.explore.verdict.judge import own_judge

        network = self.studio.model.outline.lane.network
        self._take(network, own_judge(network))

    def _take(self, network: Network, judge: Judge) -> None:
        from ldam_studio.explore.verdict.verdict import Rounds

        self._leave_opening()
        self._leave_asking()
        if network is not self.studio.model.outline.lane.network:
            return
        self._explained, self.judge, self._rounds, self._seen = network, judge, Rounds(judge), ()
        self._made_panel().show_judge(not judge.is_same)
        self._show_badge(None)
        self._look()

    def _forget(self) -> None:
        self._explained = self.judge = self._rounds = None
        self._seen = ()
        self._show_badge(None)

    # Asking it

    def _is_seen(self) -> bool:
        """Return whether the tab, or the line of a presentation, is visible."""
        return any(each is not None and each.isVisible() for each in (self.panel, self._presented))

    def _turn(self) -> None:
        """Ask anew, because another chain or another neuron is in front."""
        self._show_badge(None)
        self._leave_asking()
        self._look()

    def _look(self) -> None:
        """Ask the judge, unless nobody looks, it is still busy, or nothing has changed."""
        from ldam_studio.explore.verdict.verdict import averages_of

        model, rounds, seen = self.studio.model, self._rounds, self._is_seen()
        if rounds is None or self._asking is not None or not model.is_open:
            return
        if not seen and rounds.judge.is_same:
            return
        future = self.studio.controller.ask(partial(averages_of, front=model.front))
        if future is None:
            return
        task = self._asking = Task(partial(_ask, rounds, future, self._seen, seen))
        task.setObjectName("verdict")
        task.done.connect(self._show)
        task.failed.connect(self._fail)
        task.start()

    def _show(self, found: tuple[tuple[object, ...], Verdict] | None) -> None:
        self._leave_asking()
        if found is None or self.panel is None or self._presented is None:
            return
        self._seen, verdict = found
        self.panel.show_verdict(verdict)
        self._show_badge(verdict)
        self._presented.setText(verdict.line)
        self._presented.show()

    def _show_badge(self, verdict: Verdict | None) -> None:
        """Show what a judge names the average beside its title."""
        badge = None
        if verdict is not None and verdict.top and not verdict.is_same:
            name, share = verdict.top[0]
            if len(name) > LONGEST_NAME:
                name = f"{name[: LONGEST_NAME - 1].rstrip()}…"
            token = {True: "success", False: "warning", None: "muted"}[verdict.is_right]
            badge = Badge(f"judge: {name}, {confidence_words(share)}", token)
        self.studio.places.show_average_badge(SHOW.name, badge)

    def _fail(self, error: StudioError) -> None:
        self._leave_asking()
        self._show_badge(None)
        self._rounds = None  # it would fail again each second
        self._made_panel().show_text(str(error))

    def _leave_opening(self) -> None:
        if self._opening is not None:
            self._opening.leave()
            self._opening = None

    def _leave_asking(self) -> None:
        if self._asking is not None:
            self._asking.leave()
            self._asking = None


def _ask(
    rounds: Rounds, future: Future[Averages], seen: tuple[object, ...], others: bool, _task: Task
) -> tuple[tuple[object, ...], Verdict] | None:
    """Return the verdict on a moment of the session; None if it is the one of before.

    With `others`, further chains are judged, too, and not only the one in front.
    """
    try:
        averages = future.result(WAIT_S)
    except (CancelledError, TimeoutError):
        return None
    here = (averages.step, averages.front, averages.neurons, id(averages.network))
    finished = not others or rounds.knows_all(averages)
    if here == seen and finished:
        return None
    return here, rounds.verdict(averages, others=others)
