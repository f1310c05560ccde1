"""Connects the wall to the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QFrame, QMenu, QVBoxLayout

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.state import MELT_HEAT
from ldam_studio.gui.chain_table import columns_of
from ldam_studio.gui.frame_words import (
    rungs_of,
    short_label,
    told_apart,
    with_rungs,
    with_rungs_said,
)
from ldam_studio.gui.qt import present
from ldam_studio.gui.session.lanes import network_titles
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.wall.bar import WallBar
from ldam_studio.gui.wall.choosing import Wall

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.session.openings import Opening

WALL = Entry(
    "wall",
    "Wall of Chains",
    "G",
    "Show all chains at once; choose some to melt, restart, hold or keep",
    "all",
    "Wall",
    canvas=True,
    checkable=True,
    needs_session=True,
)


class ChainWall(Feature):
    """Shows all chains in the place of images and strip, and changes those that are chosen."""

    entries = (WALL,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, model, controller = studio.places, studio.model, studio.controller
        self.page, self.wall, self.bar = QFrame(places.root), Wall(), WallBar()
        self.page.hide()
        self.page.setFocusProxy(self.wall)
        column = QVBoxLayout(self.page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.wall, 1)
        self.page.setAutoFillBackground(True)
        self._averages = False
        self._told = (0, 0, False)  # what the bar says of the choice
        self.action = places.action(WALL)
        self.action.toggled.connect(self._show)
        places.add_to_menu("Explore", self.action)
        places.add_to_toolbar(self.action)
        self.bar.averages_chosen.connect(self._choose_averages)
        self.bar.asked.connect(self.act)
        self.bar.left.connect(self._leave)
        wall = self.wall
        wall.fronted.connect(controller.set_front)
        wall.opened.connect(self._leave)
        wall.left.connect(self._leave)
        wall.asked.connect(self.act)
        wall.toggled.connect(controller.toggle)
        wall.menu_wanted.connect(self._offer)
        wall.choice_changed.connect(self._tell_chosen)
        wall.sized.connect(self._ask_for_thumbnails)
        for changed in (model.session_changed, model.neurons_changed, model.comparison_changed):
            changed.connect(self._set_chains)
        model.front_changed.connect(wall.set_front)
        controller.opening.connect(self._show_opening)
        studio.frames.shown.connect(self._show_frame)
        self._takes_keys = False
        self._rungs: tuple[int, ...] = ()  # of the first lane's chains; empty without ladders

        self._zooms = {"fit": wall.fit, "zoom_in": self._zoom_in, "zoom_out": self._zoom_out}

    # On and off

    @property
    def is_up(self) -> bool:
        """Whether the wall is shown."""
        return self.action.isChecked()

    def _show(self, on: bool) -> None:
        """Show the wall, or images and strip again."""
        if on and not self._takes_keys:
            self._take_keys()
        if on:
            self._set_chains()
            self.wall.set_front(self.studio.model.front)
        self.studio.places.fill(self.page if on else None)
        if not on:
            self.wall.choose(())
            self.studio.controller.show_on_wall(None)
            return
        self._ask_for_thumbnails()
        last = self.studio.frames.last
        if last is not None:
            self._show_frame(last)

    def _take_keys(self) -> None:
        """Let the keys of the images work on the wall, too: all actions are made by now."""
        self._takes_keys = True
        actions = self.studio.places.actions()
        keys = Qt.ShortcutContext.WidgetShortcut
        for name, action in actions.items():
            # Space is held to drag the wall, and so the wall listens to it itself.
            if action.shortcutContext() == keys and name != "play":
                self.wall.addAction(action)
        for name, zoom in self._zooms.items():
            actions[name].triggered.connect(partial(self._zoom, zoom))

    def _zoom(self, zoom: Callable[[], None], _on: bool = False) -> None:
        if self.is_up:
            zoom()

    def _zoom_in(self) -> None:
        self.wall.zoom_by(1)

    def _zoom_out(self) -> None:
        self.wall.zoom_by(-1)

    def _leave(self) -> None:
        self.action.setChecked(False)

    def _choose_averages(self, on: bool) -> None:
        self._averages = on
        self._ask_for_thumbnails()

    def _ask_for_thumbnails(self) -> None:
        if self.is_up:
            side = max(self.wall.layout_now.thumb)
            self.studio.controller.show_on_wall((side, self._averages))

    # What is shown

    def _set_chains(self) -> None:
        model = self.studio.model
        if not self.is_up or not model.is_open:
            return
        lanes = model.outline.lanes
        neurons, network = lanes[0].neurons, lanes[0].network
        columns = columns_of(neurons)
        labels = tuple(short_label(network.label(neuron)) for neuron in neurons)
        tips = tuple(f"{label}, chain {n} of {len(labels)}" for n, label in enumerate(labels, 1))
        tips = with_rungs_said(tips, self._rungs)
        if columns:
            labels = tuple(labels[column[0]] for column in columns)
        else:
            labels = with_rungs(told_apart(labels), self._rungs)
        columns = columns or tuple((chain,) for chain in range(len(neurons)))
        titles: tuple[str, ...] = ()
        if len(lanes) > 1:
            given = model.lane_titles()
            called = tuple(given.get(number, "") for number in range(len(lanes)))
            names = network_titles([lane.network for lane in lanes], called)
            titles = tuple(f"{lane_name(n)}  {name}" for n, name in enumerate(names))
        if self.wall.chains != len(neurons):
            self.wall.choose(())
        size = network.pixels.width, network.pixels.height
        self.wall.set_chains(columns, labels, tips, size, titles)
        self._tell_chosen()

    def _show_opening(self, opening: Opening) -> None:
        self.wall.clear()
        self.wall.choose(())
        self.wall.set_empty(f"Opening “{opening.title}” …")

    def _show_frame(self, frame: Frame) -> None:
        if not self.is_up:
            return
        if (rungs := rungs_of(frame.lanes[0])) != self._rungs:
            self._rungs = rungs
            self._set_chains()
        outline = self.studio.model.outline
        hot = [chain for chain, heat in enumerate(outline.heats) if heat > 1]
        self.wall.set_states(frozenset(outline.held), frozenset(hot))
        self._tell_chosen()
        self.wall.show_frame(frame, averages=self._averages)

    def _tell_chosen(self) -> None:
        chosen = self.wall.chosen
        held = bool(chosen) and chosen <= set(self.studio.model.outline.held)
        told = (self.wall.chains, len(chosen), held)
        if told != self._told:
            self._told = told
            self.bar.show_chosen(self.wall.chains, len(chosen), held=held)

    # What is done

    def _offer(self, at: QPoint) -> None:
        """Show a menu with what can be done to the chosen chains."""
        self._tell_chosen()
        menu = QMenu(self.wall)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for what, button in self.bar.buttons.items():
            action = present(menu.addAction(button.text(), partial(self.act, what)))
            action.setEnabled(button.isEnabled())
        menu.popup(at)

    def act(self, what: str) -> None:
        """Melt, restart, hold (or release) or keep the chosen chains."""
        chosen = tuple(sorted(self.wall.chosen))
        if not chosen:
            return
        held = set(chosen) <= set(self.studio.model.outline.held)
        count = f"{len(chosen)} Chain" + ("" if len(chosen) == 1 else "s")
        change, text = {
            "melt": (Change("heat_some", Heated(chosen, MELT_HEAT)), f"Melt {count}"),
            "restart": (Change("restart_some", chosen), f"Restart {count}"),
            "hold": (Change("release", chosen), f"Release {count}")
            if held
            else (Change("hold", chosen), f"Hold {count}"),
            "keep": (Change("keep", chosen), f"Keep {count}"),
        }[what]
        controller = self.studio.controller
        front = self.studio.model.front
        controller.make(change, text)
        if what == "keep":
            # The chain in front stays there, under its new number.
            self.wall.choose(())
            controller.set_front(chosen.index(front) if front in chosen else 0)
        self._tell_chosen()
