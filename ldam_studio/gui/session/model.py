"""What the window knows about the session: values, no widgets.

Views read it and listen to its signals; only the controller changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.discriminator import origin_of_real_images
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import (
    FIRST,
    SECOND,
    LaneView,
    are_numbers,
    both,
    with_weights,
)
from ldam_studio.networks.sources.families import short_name
from ldam_studio.sampler.settings import SETTINGS, Settings, is_of_chains

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.state import SessionState
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.presets import Preset

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


@dataclass(frozen=True)
class SessionView:
    """What of a session the window shows and steers. Other threads' state is not touched."""

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings
    seed: int
    device: Device
    has_discriminator: bool
    learn_every: int = 0
    discriminator_rounds: int = 0
    data: Path | None = None
    max_rate: int = 0
    second: LaneView | None = None

    @classmethod
    def of(cls, state: SessionState) -> SessionView:
        """Read a session that is not running."""
        lane = state.lane
        return cls(
            lane.network,
            lane.neurons,
            lane.settings,
            state.seed,
            state.device,
            state.discriminator is not None,
            state.learn_every,
            state.discriminator_rounds,
            state.data,
            second=LaneView.of(state.lanes[SECOND]) if len(state.lanes) > SECOND else None,
        )

    @property
    def source_of_real_images(self) -> str:
        """Where a discriminator that learns sees real images."""
        return origin_of_real_images(self.network, self.data)

    def value(self, name: str) -> Any:
        """Return the value of any setting by its name; the first lane's, where there are two."""
        if name == "chains":
            return len(self.neurons)
        return getattr(self.settings if is_of_chains(name) else self, name)

    def value_of_each(self, name: str) -> Any:
        """Return a setting's value, `PerLane` if there are two lanes that differ in it."""
        here = self.value(name)
        return here if self.second is None else both(here, self.seen_from(SECOND).value(name))

    def seen_from(self, lane: int | None) -> SessionView:
        """Return the session as one lane alone sees it: the second, or else the first."""
        if lane != SECOND or self.second is None:
            return self
        there = self.second
        return replace(self, network=there.network, neurons=there.neurons, settings=there.settings)

    def values(self) -> dict[str, Any]:
        """Return the values of all settings."""
        return {name: self.value(name) for name in SETTINGS}

    def values_of(self, preset: Preset) -> dict[str, Any]:
        """Return what a preset means here, by name."""
        shape = self.network.pixels.shape
        values = preset.values(shape, discriminator=self.has_discriminator)
        # Values of its own for each chain are repeated or cut to the chains that there are.
        settings = Settings.of(**values).for_chains(len(self.neurons))
        return {name: getattr(settings, name) for name in values}

    def chain_values(self) -> dict[str, Any]:
        """Return the values of those settings that belong to the chains."""
        return {name: self.value(name) for name in SETTINGS if is_of_chains(name)}

    def with_value(self, name: str, value: Any, lane: int | None = None) -> SessionView:
        """Return the view after a setting was changed, in one lane or in all that there are.

        Raises
        ------
        StudioError
            If the value is of the wrong kind or out of range.
        """
        if is_of_chains(name):
            settings, second = self.settings, self.second
            if lane != SECOND:
                settings = settings.change(name, value)
            if lane != FIRST and second is not None:
                second = replace(second, settings=second.settings.change(name, value))
            return replace(self, settings=settings, second=second)
        value = SETTINGS[name].check(value)
        # The chains' neurons are the engine's to choose; its next frame tells them.
        return self if name == "chains" else replace(self, **{name: value})

    def parts(self, name: str, value: Any, lane: int | None) -> list[tuple[Any, int | None]]:
        """Return what to change, and in which lane, for a setting to have a value in `lane`.

        With `PerLane` values, each lane gets its own.
        """
        if isinstance(value, PerLane):
            return (
                list(zip(value, (FIRST, SECOND), strict=True))
                if self.second
                else [(value[0], None)]
            )
        alone = self.second is not None and is_of_chains(name)
        return [(value, lane if alone else None)]


class Model(QObject):
    """The session in front, which chain of it is in front, and how it is displayed."""

    session_changed = pyqtSignal()  # another session, or another network in it
    weights_changed = pyqtSignal()  # later weights of the same network
    neurons_changed = pyqtSignal()
    value_changed = pyqtSignal(str)  # a setting's name
    front_changed = pyqtSignal(int)
    display_changed = pyqtSignal()
    run_state_changed = pyqtSignal(object)
    comparison_changed = pyqtSignal()  # a second lane came, went, or is another network
    acting_changed = pyqtSignal()  # another lane is acted on

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: SessionView | None = None
        self.title = ""
        self.rows: tuple[str, ...] = ()  # titles of the strip's rows, where chains form a table
        self.front = 0
        self.display = Display()
        self.run_state: Any = None
        self.acting: int | None = None  # the lane that is acted on, None for all

    @property
    def acted(self) -> SessionView | None:
        """The session as the lane sees it that is acted on; of all lanes, the first."""
        return None if self.session is None else self.session.seen_from(self.acting)

    def acted_frame(self, frame: Frame) -> LaneFrame:
        """Return the part of a frame that shows the lane acted on; of all lanes, the first."""
        on_second = self.acting == SECOND and len(frame.lanes) > 1
        return frame.lanes[SECOND if on_second else FIRST]

    @property
    def whole_title(self) -> str:
        """The title with the weights in front, where those are not what the network comes with."""
        return (
            self.title if self.session is None else with_weights(self.title, self.session.network)
        )

    @property
    def second_title(self) -> str:
        """What the second network is called, where that is not its name and weights."""
        second = None if self.session is None else self.session.second
        return "" if second is None else second.title

    @property
    def chains(self) -> int:
        """How many chains there are, in each lane; 1 without a session."""
        return 1 if self.session is None else len(self.session.neurons)

    def shown_values(self) -> dict[str, Any]:
        """Return the values of all settings as they are shown for what is acted on.

        If both lanes are acted on and differ, numbers are `PerLane`; other values are the first
        lane's.
        """
        session, acted = self.session, self.acted
        assert session is not None and acted is not None
        values = acted.values()
        if self.acting is None:
            each = {name: session.value_of_each(name) for name in values}
            values |= {n: v for n, v in each.items() if isinstance(v, PerLane) and are_numbers(v)}
        return values

    def set_acting(self, lane: int | None) -> None:
        """Act on one lane, or on all that there are."""
        if lane != self.acting:
            self.acting = lane
            self.acting_changed.emit()

    def adopt(self, session: SessionView, title: str, rows: tuple[str, ...], front: int) -> None:
        """Take over a session that was opened."""
        self.session, self.title, self.rows = session, title, rows
        self.front = min(max(front, 0), len(session.neurons) - 1)
        self.acting = None
        self.session_changed.emit()
        self.comparison_changed.emit()

    def set_session(self, session: SessionView, *changed: str) -> None:
        """Take over new values; `changed` names the settings."""
        before, self.session = self.session, session
        if before is None or _compared(before) != _compared(session):
            # First: whatever follows shows the network that is acted on.
            self.acting = None
            self.comparison_changed.emit()
        if before is not None and before.network is not session.network:
            self.title = short_name(session.network.name)
            self.session_changed.emit()
        elif before is None or _neurons_of(before) != _neurons_of(session):
            if len(session.neurons) != len(before.neurons if before else ()):
                self.rows = ()
            self.set_front(self.front)
            self.neurons_changed.emit()
        for name in changed:
            self.value_changed.emit(name)

    def set_weights(self, network: Network) -> None:
        """Take over a twin of the network with other weights; nothing else changes."""
        if self.session is not None:
            self.session = replace(self.session, network=network)
            self.weights_changed.emit()

    def set_front(self, index: int) -> None:
        """Bring a chain to the front."""
        last = len(self.session.neurons) - 1 if self.session else 0
        index = min(max(index, 0), last)
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


def _neurons_of(session: SessionView) -> tuple[Any, ...]:
    second = session.second
    return session.neurons, None if second is None else second.neurons


def _compared(session: SessionView) -> tuple[int, str] | None:
    second = session.second
    return None if second is None else (id(second.network), second.title)
