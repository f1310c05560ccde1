"""The state of the session as the window shows it: values, no widgets.

Views read the model and connect to its signals; only the controller changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.discriminator import origin_of_real_images
from ldam_studio.engine.suiting import are_classes, suited_to
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import are_numbers, value_of, value_over_lanes, with_weights
from ldam_studio.gui.session.pending import Pending
from ldam_studio.networks.sources.families import short_name
from ldam_studio.sampler.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from ldam_studio.engine.changes.change import Change
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.outline import LaneOutline, Outline
    from ldam_studio.engine.run_state import RunState
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.presets import Preset

MAX_RATE = "max_rate"  # the one setting that is not in the outline
SHARED = ("seed", "discriminator", "device", "data")
"""Values that all lanes share and that are not settings; `Model.value_changed` covers them, too."""
SIGNED, IMAGE = "signed", "image"


@dataclass(frozen=True)
class Display:
    """How pixels become colours.

    Parameters
    ----------
    mode
        ``"signed"``: mid-grey is the rest colour; ``"image"``: black and white are the ends of the
        valid range.
    scale
        For ``"signed"``: the distance from the rest colour, in pixel units, that is shown as black
        or white; None uses the largest distance in each image.
    settled
        What the average shows of how settled it is, one of `settled.SETTLED`; empty for nothing.
    """

    mode: str = IMAGE
    scale: float | None = None
    settled: str = ""


class Model(QObject):
    """The current session's outline, its front chain, and how pixels are displayed.

    `outline` is the outline of the last frame, with the changes that this frame has not seen on
    top. The window therefore shows the effect of a change at once, and later what the session
    really made of it.
    """

    session_changed = pyqtSignal()  # another session, or another network in the first lane
    weights_changed = pyqtSignal()  # other weights of the same network
    neurons_changed = pyqtSignal()
    value_changed = pyqtSignal(str)  # the name of a setting, or one of `SHARED`
    front_changed = pyqtSignal(int)
    display_changed = pyqtSignal()
    run_state_changed = pyqtSignal(object)
    comparison_changed = pyqtSignal()  # a further lane was added, removed or has another network
    acting_changed = pyqtSignal()  # settings and neurons now act on another lane

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: Outline | None = None
        self._shown: Outline | None = None
        self.pending = Pending()  # changed by the controller only
        self._called: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
        self.title = ""
        self.rows: tuple[str, ...] = ()  # titles of the strip's rows, where chains form a table
        self.front = 0
        self.display = Display()
        self.run_state: RunState | None = None
        self.acting: int | None = None  # the lane that the user changes; None for all
        self.max_rate = 0  # limit of steps per second; 0 for no limit

    # The session

    @property
    def is_open(self) -> bool:
        """Whether a session is open."""
        return self._shown is not None

    def on_session(self, show: Callable[[], object]) -> None:
        """Call `show` at each `session_changed`, and now if a session is already open."""
        self.session_changed.connect(show)
        if self.is_open:
            show()

    @property
    def outline(self) -> Outline:
        """The outline of the current session with pending changes; a session must be open."""
        assert self._shown is not None, "no session is open"
        return self._shown

    @property
    def acted(self) -> LaneOutline:
        """The lane that is acted on; the first one if all are."""
        return self.outline.lanes[self.acting or 0]

    @property
    def is_comparing(self) -> bool:
        """Whether the session compares networks."""
        return self.is_open and len(self.outline.lanes) > 1

    @property
    def chains(self) -> int:
        """Number of chains in each lane; 1 without a session."""
        return self.outline.chains if self.is_open else 1

    @property
    def source_of_real_images(self) -> str:
        """The origin of the real images for a discriminator that learns, in words."""
        return origin_of_real_images(self.outline.lane.network, self.outline.data)

    def acted_frame(self, frame: Frame) -> LaneFrame:
        """Return a frame's part for the lane that is acted on; the first one if all are."""
        lane = self.acting or 0
        return frame.lanes[lane if lane < len(frame.lanes) else 0]

    # Titles

    @property
    def whole_title(self) -> str:
        """The session's title, followed by its weights if they are not those of the network."""
        return with_weights(self.title, self.outline.lane.network) if self.is_open else self.title

    def lane_titles(self) -> dict[int, str]:
        """Return the titles given to further lanes, by lane number; see `call`."""
        called = [self._called.get(lane.network.module, "") for lane in self.outline.lanes]
        return {number: title for number, title in enumerate(called) if number and title}

    def call(self, network: Network, title: str) -> None:
        """Give the network of a further lane a title; empty for its name and weights."""
        if title != self._called.get(network.module, ""):
            self._called[network.module] = title
            if self.is_comparing:
                self.comparison_changed.emit()

    # Values of settings

    def value(self, name: str) -> Any:
        """Return the value of a setting; `PerLane` values if it differs between lanes."""
        return self.max_rate if name == MAX_RATE else value_over_lanes(self.outline, name)

    def values(self, lane: int = 0) -> dict[str, Any]:
        """Return the values of all settings in one lane."""
        chosen = {n: value_of(self.outline, n, lane) for n in SETTINGS if n != MAX_RATE}
        return chosen | {MAX_RATE: self.max_rate}

    def shown_values(self) -> dict[str, Any]:
        """Return the values of all settings as the panel shows them.

        They are the values of the lane that is acted on. If all lanes are, numbers that differ are
        `PerLane`, and other values are those of the first lane.
        """
        values = self.values(self.acting or 0)
        if self.acting is None:
            each = {name: self.value(name) for name in values}
            values |= {n: v for n, v in each.items() if isinstance(v, PerLane) and are_numbers(v)}
        return values

    def values_of(self, preset: Preset) -> dict[str, Any]:
        """Return a preset's values for the lane that is acted on, by name of the setting.

        They suit its neurons, see `engine.suiting`.
        """
        network, neurons = self.acted.network, self.acted.neurons
        has = self.outline.discriminator is not None and are_classes(network, neurons)
        values = preset.values(network.pixels.shape, discriminator=has)
        # If a preset has one value per chain, these are repeated or cut to the number of chains.
        settings = Settings.of(**values).for_chains(self.chains)
        own = suited_to(network, neurons, settings)
        return {name: own.get(name, getattr(settings, name)) for name in values}

    # What the controller writes

    def adopt(
        self,
        outline: Outline,
        title: str,
        *,
        rows: tuple[str, ...] = (),
        front: int = 0,
        max_rate: int = 0,
        lane_titles: Mapping[int, str] | None = None,
    ) -> None:
        """Show a session that has just been opened."""
        self._told = self._shown = outline
        self.pending.clear()
        self._called.clear()
        for number, called in (lane_titles or {}).items():
            if number < len(outline.lanes):
                self._called[outline.lanes[number].network.module] = called
        self.title, self.rows, self.max_rate = title, rows, max_rate
        self.front = min(max(front, 0), outline.chains - 1)
        self.acting = None
        self.session_changed.emit()
        self.comparison_changed.emit()

    def tell(self, outline: Outline, seen: int) -> None:
        """Take over the outline of a frame that has seen all commands up to number `seen`."""
        self._told = outline
        self.pending.forget_seen(seen)
        self._show_pending()

    def expect(self, *posted: tuple[int, Change | Outline]) -> None:
        """Show the effect of posted commands at once.

        Parameters
        ----------
        *posted
            Pairs of a command's number and its change, or the outline of a moment to return to.
        """
        for number, change in posted:
            self.pending.add(number, change)
        self._show_pending()

    def _show_pending(self) -> None:
        """Show the outline with pending changes on top, and emit signals for what differs."""
        assert self._told is not None
        before, after = self.outline, self.pending.on_top_of(self._told)
        self._shown = after
        if after != before:
            self._tell_apart(before, after)

    def _tell_apart(self, before: Outline, after: Outline) -> None:
        beside, now_beside = _beside(before), _beside(after)
        if beside != now_beside:
            # This comes first, because the other signals show the network that is acted on.
            if [n.module for n in beside] != [n.module for n in now_beside]:
                self.acting = None
            self.comparison_changed.emit()
        if before.chains != after.chains:
            self.rows = ()
            self.set_front(self.front)
        old, new = before.lane.network, after.lane.network
        if new.listing is not old.listing:
            self.title = short_name(new.name)
            self.session_changed.emit()
        else:
            if new is not old:
                self.weights_changed.emit()
            if _neurons(before) != _neurons(after):
                self.neurons_changed.emit()
        for name in SETTINGS:
            if name != MAX_RATE and _differ(before, after, name):
                self.value_changed.emit(name)
        for name in SHARED:
            if getattr(before, name) != getattr(after, name):
                self.value_changed.emit(name)

    def set_max_rate(self, rate: int) -> None:
        """Take over the limit of steps per second."""
        if rate != self.max_rate:
            self.max_rate = rate
            self.value_changed.emit(MAX_RATE)

    def set_acting(self, lane: int | None) -> None:
        """Choose the lane that the user changes; None for all lanes."""
        if lane != self.acting:
            self.acting = lane
            self.acting_changed.emit()

    def set_front(self, index: int) -> None:
        """Make a chain the front chain; the index is limited to the existing chains."""
        index = min(max(index, 0), self.chains - 1)
        if index != self.front:
            self.front = index
            self.front_changed.emit(index)

    def set_display(self, display: Display) -> None:
        """Change how pixels become colours."""
        if display != self.display:
            self.display = display
            self.display_changed.emit()

    def set_run_state(self, state: RunState) -> None:
        """Take over the run state of the sampler."""
        if state is not self.run_state:
            self.run_state = state
            self.run_state_changed.emit(state)


def _beside(outline: Outline) -> list[Network]:
    return [lane.network for lane in outline.lanes[1:]]


def _neurons(outline: Outline) -> list[Any]:
    return [lane.neurons for lane in outline.lanes]


def _differ(before: Outline, after: Outline, name: str) -> bool:
    return bool(value_over_lanes(before, name) != value_over_lanes(after, name))
