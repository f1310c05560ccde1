"""What the window knows about the session: values, no widgets.

Views read it and listen to its signals; only the controller changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.discriminator import origin_of_real_images
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import are_numbers, value_of, value_over_lanes, with_weights
from ldam_studio.gui.session.pending import Pending
from ldam_studio.networks.sources.families import short_name
from ldam_studio.sampler.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ldam_studio.engine.changes.change import Change
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.outline import LaneOutline, Outline
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.presets import Preset

MAX_RATE = "max_rate"  # the setting that is the window's own
SHARED = ("seed", "discriminator", "device")
"""What all lanes share and is no setting; `Model.value_changed` tells of it, too."""
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
        Distance from the rest colour, in pixel units, that is shown as black or white when signed;
        None takes each image's own largest.
    """

    mode: str = IMAGE
    scale: float | None = None


class Model(QObject):
    """The session in front, which chain of it is in front, and how it is displayed.

    `outline` says how the session is set: what it told last, with what was asked of it since on
    top. So the window shows at once what a change means, and what the session made of it as soon
    as that is known.
    """

    session_changed = pyqtSignal()  # another session, or another network in it
    weights_changed = pyqtSignal()  # later weights of the same network
    neurons_changed = pyqtSignal()
    value_changed = pyqtSignal(str)  # the name of a setting, or one of `SHARED`
    front_changed = pyqtSignal(int)
    display_changed = pyqtSignal()
    run_state_changed = pyqtSignal(object)
    comparison_changed = pyqtSignal()  # a further lane came, went, or is another network
    acting_changed = pyqtSignal()  # another lane is acted on

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: Outline | None = None
        self._shown: Outline | None = None
        self.pending = Pending()  # the controller's
        self._called: WeakKeyDictionary[Network, str] = WeakKeyDictionary()
        self.title = ""
        self.rows: tuple[str, ...] = ()  # titles of the strip's rows, where chains form a table
        self.front = 0
        self.display = Display()
        self.run_state: Any = None
        self.acting: int | None = None  # the lane that is acted on, None for all
        self.max_rate = 0  # steps per second; 0 is as many as can be

    # The session

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._shown is not None

    def on_session(self, show: Callable[[], object]) -> None:
        """Call `show` for each session, and each network in one; also for what is open already."""
        self.session_changed.connect(show)
        if self.is_open:
            show()

    @property
    def outline(self) -> Outline:
        """How the session in front is set, or will be; only where one is open."""
        assert self._shown is not None, "no session is open"
        return self._shown

    @property
    def acted(self) -> LaneOutline:
        """The lane that is acted on; of all lanes, the first."""
        return self.outline.lanes[self.acting or 0]

    @property
    def is_comparing(self) -> bool:
        """Whether networks are side by side."""
        return self.is_open and len(self.outline.lanes) > 1

    @property
    def chains(self) -> int:
        """How many chains there are, in each lane; 1 without a session."""
        return self.outline.chains if self.is_open else 1

    @property
    def source_of_real_images(self) -> str:
        """Where a discriminator that learns sees real images."""
        return origin_of_real_images(self.outline.lane.network, self.outline.data)

    def acted_frame(self, frame: Frame) -> LaneFrame:
        """Return the part of a frame that shows the lane acted on; of all lanes, the first."""
        lane = self.acting or 0
        return frame.lanes[lane if lane < len(frame.lanes) else 0]

    # Titles

    @property
    def whole_title(self) -> str:
        """The title with the weights in front, where those are not what the network comes with."""
        return with_weights(self.title, self.outline.lane.network) if self.is_open else self.title

    def lane_titles(self) -> dict[int, str]:
        """Return what lanes beside the first are called, where that is not name and weights."""
        called = [self._called.get(lane.network, "") for lane in self.outline.lanes]
        return {number: title for number, title in enumerate(called) if number and title}

    def call(self, network: Network, title: str) -> None:
        """Give a network beside the first one a title; an empty one is its name and weights."""
        if title != self._called.get(network, ""):
            self._called[network] = title
            if self.is_comparing:
                self.comparison_changed.emit()

    # Values of settings

    def value(self, name: str) -> Any:
        """Return the value of a setting, `PerLane` where the lanes differ in it."""
        return self.max_rate if name == MAX_RATE else value_over_lanes(self.outline, name)

    def values(self, lane: int = 0) -> dict[str, Any]:
        """Return the values of all settings in one lane."""
        chosen = {n: value_of(self.outline, n, lane) for n in SETTINGS if n != MAX_RATE}
        return chosen | {MAX_RATE: self.max_rate}

    def shown_values(self) -> dict[str, Any]:
        """Return the values of all settings as they are shown for what is acted on.

        If all lanes are acted on and differ, numbers are `PerLane`; other values are the first
        lane's.
        """
        values = self.values(self.acting or 0)
        if self.acting is None:
            each = {name: self.value(name) for name in values}
            values |= {n: v for n, v in each.items() if isinstance(v, PerLane) and are_numbers(v)}
        return values

    def values_of(self, preset: Preset) -> dict[str, Any]:
        """Return what a preset means for what is acted on, by name."""
        shape, has = self.acted.network.pixels.shape, self.outline.discriminator is not None
        values = preset.values(shape, discriminator=has)
        # Values of its own for each chain are repeated or cut to the chains that there are.
        settings = Settings.of(**values).for_chains(self.chains)
        return {name: getattr(settings, name) for name in values}

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
        """Take over a session that was opened."""
        self._told = self._shown = outline
        self.pending.clear()
        self._called.clear()
        for number, called in (lane_titles or {}).items():
            if number < len(outline.lanes):
                self._called[outline.lanes[number].network] = called
        self.title, self.rows, self.max_rate = title, rows, max_rate
        self.front = min(max(front, 0), outline.chains - 1)
        self.acting = None
        self.session_changed.emit()
        self.comparison_changed.emit()

    def tell(self, outline: Outline, seen: int) -> None:
        """Take over how the session is set, with all commands up to the number `seen`."""
        self._told = outline
        self.pending.forget_seen(seen)
        self._show_pending()

    def expect(self, *posted: tuple[int, Change | Outline]) -> None:
        """Show what was asked of the session: changes, or the outline of a moment to go back to.

        Each comes with the number of its command. Changes that are held are shown, too.
        """
        for number, change in posted:
            self.pending.add(number, change)
        self._show_pending()

    def _show_pending(self) -> None:
        """Show the outline with what is pending on top; signals tell what differs."""
        assert self._told is not None
        before, after = self.outline, self.pending.on_top_of(self._told)
        self._shown = after
        if after != before:
            self._tell_apart(before, after)

    def _tell_apart(self, before: Outline, after: Outline) -> None:
        if _beside(before) != _beside(after):
            # First: whatever follows shows the network that is acted on.
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
        """Take over how many steps per second are taken at most."""
        if rate != self.max_rate:
            self.max_rate = rate
            self.value_changed.emit(MAX_RATE)

    def set_acting(self, lane: int | None) -> None:
        """Act on one lane, or on all that there are."""
        if lane != self.acting:
            self.acting = lane
            self.acting_changed.emit()

    def set_front(self, index: int) -> None:
        """Bring a chain to the front."""
        index = min(max(index, 0), self.chains - 1)
        if index != self.front:
            self.front = index
            self.front_changed.emit(index)

    def set_display(self, display: Display) -> None:
        """Display pixels in another way."""
        if display != self.display:
            self.display = display
            self.display_changed.emit()

    def set_run_state(self, state: Any) -> None:
        """Take over whether the sampler runs."""
        if state is not self.run_state:
            self.run_state = state
            self.run_state_changed.emit(state)


def _beside(outline: Outline) -> list[Network]:
    return [lane.network for lane in outline.lanes[1:]]


def _neurons(outline: Outline) -> list[Any]:
    return [lane.neurons for lane in outline.lanes]


def _differ(before: Outline, after: Outline, name: str) -> bool:
    return bool(value_over_lanes(before, name) != value_over_lanes(after, name))
