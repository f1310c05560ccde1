"""Two networks side by side in the window: opening the second one, and the bar about both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.gui.compare.bar import CompareBar
from ldam_studio.gui.session.lanes import SECOND, titles
from ldam_studio.gui.watch.timeline import name_of
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from ldam_studio.gui.opening.dialog import NetworkDialog
    from ldam_studio.gui.session.lanes import LaneView
    from ldam_studio.gui.window.window import StudioWindow
    from ldam_studio.networks.network import Network

OF_A_COMPARISON = ("end_comparison", "act_on_both", "act_on_a", "act_on_b", "strip_both")
UNMATCHED = "unmatched"  # the key of the sentence about it in the message bar
AVERAGED = "-averaged"  # a built-in network's twin is called so


def another(name: str) -> str:
    """Return a built-in network's twin; else the name itself, for weights of a person's own."""
    twin = name.removesuffix(AVERAGED) if name.endswith(AVERAGED) else name + AVERAGED
    return twin if twin in NETWORKS else name


class Comparing:
    """The menu entries about comparing, and the bar above the images."""

    def __init__(self, window: StudioWindow) -> None:
        self._window = window
        self.bar = CompareBar()
        self.bar.hide()
        window.panels.stage.layout().insertWidget(0, self.bar)
        controller, model = window.controller, window.model
        self.bar.acting_chosen.connect(controller.act_on)
        self.bar.closed.connect(controller.end_comparison)
        controller.unmatched.connect(self._say_unmatched)
        model.comparison_changed.connect(self._show)
        model.session_changed.connect(self._show)
        model.weights_changed.connect(self._show)
        model.acting_changed.connect(self._show_acting)
        self._show()

    @property
    def entries(self) -> dict[str, object]:
        """What each action does, by its name."""
        act_on = self._window.controller.act_on
        return {
            "compare": self.ask,
            "compare_settings": self.with_other_settings,
            "end_comparison": self._window.controller.end_comparison,
            "act_on_both": partial(act_on, None),
            "act_on_a": partial(act_on, 0),
            "act_on_b": partial(act_on, 1),
        }

    def ask(self) -> NetworkDialog | None:
        """Ask for a network, or other weights of the one in front, and put it beside that."""
        from ldam_studio.gui.opening.dialog import ask_for_comparison

        session = self._window.model.session
        if session is None:
            return None
        network = session.network
        request = NetworkRequest(
            another(network.name),
            labels=network.provenance.given_labels,
            partial=network.provenance.partial,
            pixels=network.provenance.given_pixels,
        )
        return ask_for_comparison(self._window, self._compare, request)

    def with_other_settings(self) -> None:
        """Put the network beside itself, and let the settings be those of the second one."""
        session = self._window.model.session
        if session is not None:
            self._window.controller.compare(session.network)
            self._window.controller.act_on(SECOND)
            self._window.say(
                "Both are the same network; the settings now act on B alone, choose Both or A "
                "above the images."
            )

    def _compare(self, network: Network, _request: NetworkRequest) -> None:
        try:
            self._window.controller.compare(network)
        except StudioError as error:
            self._window.say(str(error), "danger")

    def _say_unmatched(self, sentence: str) -> None:
        banner = self._window.banner
        if sentence:
            choose = ("Choose in B", self._choose_in_second)
            banner.say(sentence, "warning", (choose,), UNMATCHED)
        else:
            banner.dismiss(UNMATCHED)

    def _choose_in_second(self) -> None:
        self._window.controller.act_on(SECOND)
        self._window.actions_by_name["find_neuron"].trigger()

    def _show(self) -> None:
        session, actions = self._window.model.session, self._window.actions_by_name
        second = None if session is None else session.second
        self.bar.setVisible(second is not None)
        self._window.panels.show_two_rows(second is not None)
        for name in OF_A_COMPARISON:
            actions[name].setEnabled(second is not None)
        if session is not None and second is not None:
            first, beside = titles(session.network, second)
            self.bar.show_titles(self._pinned_title(session.network, second) or first, beside)
        else:
            self._window.banner.dismiss(UNMATCHED)
        self._show_acting()

    def _pinned_title(self, network: Network, second: LaneView) -> str:
        """Return what the first network is called beside a pinned checkpoint: as that one is."""
        read = self._window.watching.read_from(network)
        return name_of(read[-1]) if second.title and read else ""

    def _show_acting(self) -> None:
        acting = self._window.model.acting
        self.bar.show_acting(acting)
        for name, lane in (("act_on_both", None), ("act_on_a", 0), ("act_on_b", SECOND)):
            self._window.actions_by_name[name].setChecked(acting == lane)
