"""The actions of the menu Compare, and the bar above the images."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.gui.compare.bar import CompareBar
from ldam_studio.gui.session.lanes import network_titles
from ldam_studio.gui.session.read_from import name_of
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.request import NetworkRequest

if TYPE_CHECKING:
    from ldam_studio.gui.network_dialog.dialog import NetworkDialog
    from ldam_studio.networks.network import Network

COMPARE = Entry(
    "compare",
    "Compare With…",
    "Ctrl+Shift+B",
    "Compare with another network or other weights, with the same neuron, seed and noise",
    needs_session=True,
)
SETTINGS = Entry(
    "compare_settings",
    "Compare With Other Settings",
    "",
    "Compare this network with itself under other settings",
    needs_session=True,
)
ACT_ON = {
    None: Entry("act_on_both", "Act on Both", "Alt+0", "Change both networks", checkable=True),
    0: Entry("act_on_a", "Act on A", "Alt+A", "Change only the first network", checkable=True),
    1: Entry("act_on_b", "Act on B", "Alt+B", "Change only the second network", checkable=True),
}
STRIP = Entry(
    "strip_both",
    "Chains of Both in the Strip",
    "",
    "Show the chains of both networks below the images, or only those of the first",
    checkable=True,
)
END = Entry("end_comparison", "End Comparison", "", "Show only the first network again")
UNMATCHED = "unmatched"  # the key of a message
AVERAGED = "-averaged"  # suffix of the built-in networks whose weights are averaged


def another(name: str) -> str:
    """Return the name to suggest for a comparison.

    For a built-in network, that is its twin with averaged weights, or the other way round; for
    others it is the network itself, with which the user can open other weights.
    """
    twin = name.removesuffix(AVERAGED) if name.endswith(AVERAGED) else name + AVERAGED
    return twin if twin in NETWORKS else name


class Comparing(Feature):
    """Fills the menu Compare, and shows the bar while networks are compared."""

    entries = (COMPARE, SETTINGS, *ACT_ON.values(), STRIP, END)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, controller, model = studio.places, studio.controller, studio.model
        self.bar = CompareBar()
        self.bar.hide()
        places.add_bar(self.bar, above=True)
        begin = (
            places.action(COMPARE, self.ask),
            places.action(SETTINGS, self.with_other_settings),
        )
        self._act_on = {
            lane: places.action(entry, partial(controller.act_on, lane))
            for lane, entry in ACT_ON.items()
        }
        strip = places.action(STRIP)
        strip.toggled.connect(places.show_both_in_strip)
        end = places.action(END, controller.end_comparison)
        places.add_to_menu("Compare", *begin)
        places.add_to_menu("Compare", *self._act_on.values())
        places.add_to_menu("Compare", strip)
        places.add_to_menu("Compare", end)
        self._of_a_comparison = (*self._act_on.values(), strip, end)
        self.bar.acting_chosen.connect(controller.act_on)
        self.bar.closed.connect(controller.end_comparison)
        controller.unmatched.connect(self._say_unmatched)
        model.comparison_changed.connect(self._show)
        model.session_changed.connect(self._show)
        model.weights_changed.connect(self._show)
        model.acting_changed.connect(self._show_acting)
        self._show()

    def ask(self) -> NetworkDialog:
        """Show the dialog for the network to compare with, and return it."""
        from ldam_studio.gui.network_dialog.ask import ask_for_comparison

        network = self.studio.model.outline.lane.network
        request = replace(NetworkRequest.like(network), name=another(network.name))
        return ask_for_comparison(self.studio.places.root, self._compare, request)

    def with_other_settings(self) -> None:
        """Compare the network with a copy of itself, and act on the copy."""
        controller = self.studio.controller
        controller.compare(self.studio.model.outline.lane.network)
        controller.act_on(1)
        self.studio.notices.say(
            "A and B are the same network, and the settings now change only B; choose Both or A "
            "above the images to change this."
        )

    def _compare(self, network: Network, _request: NetworkRequest) -> None:
        try:
            self.studio.controller.compare(network)
        except StudioError as error:
            self.studio.notices.say(str(error), "danger")

    def _say_unmatched(self, sentence: str) -> None:
        notices = self.studio.notices
        if sentence:
            choose = ("Choose in B", self._choose_in_b)
            notices.say(sentence, "warning", (choose,), UNMATCHED)
        else:
            notices.dismiss(UNMATCHED)

    def _choose_in_b(self) -> None:
        self.studio.controller.act_on(1)
        self.studio.places.actions()["find_neuron"].trigger()

    def _show(self) -> None:
        model = self.studio.model
        self.bar.setVisible(model.is_comparing)
        self.studio.places.show_two_rows(model.is_comparing)
        for action in self._of_a_comparison:
            action.setEnabled(model.is_comparing)
        if model.is_comparing:
            networks = [lane.network for lane in model.outline.lanes[:2]]
            given = model.lane_titles().get(1, "")
            here, beside = network_titles(networks, ("", given))
            self.bar.show_titles((given and self._checkpoint(networks[0])) or here, beside)
        else:
            self.studio.notices.dismiss(UNMATCHED)
        self._show_acting()

    def _checkpoint(self, network: Network) -> str:
        """Return the name of the checkpoint from which a network was read; empty if unknown."""
        read = self.studio.read_from.of(network)
        return name_of(read[-1]) if read else ""

    def _show_acting(self) -> None:
        acting = self.studio.model.acting
        self.bar.show_acting(acting)
        for lane, action in self._act_on.items():
            action.setChecked(acting == lane)
