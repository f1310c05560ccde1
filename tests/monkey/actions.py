"""What can be done to the studio: each action with its weight, and how its values are drawn.

The values are numbers that mean something in every state of the window, such as the share of a
list's length, so that a recorded action can be played after any other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from player import Player
from pokes import poke, use
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QPushButton, QWidget

from gui.checkpoints import leave
from ldam_studio.errors import StudioError
from ldam_studio.gui.examples.examples import EXAMPLES
from ldam_studio.gui.opening.files import Files
from ldam_studio.gui.opening.picture_view import PictureView
from ldam_studio.gui.recent_sessions.feature import RecentSessions
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import SETTINGS

LEFT_OUT = {"quit"}  # played by `restart`, which starts the studio again
NETWORKS = ("lenet", "lenet-averaged")
LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3", "output")
VALUES = (0, 1, 0.0, 0.5, -1, 3, 1e-6, 1e6, float("nan"), "exact", "mala", True, False, "x", None)


@dataclass(frozen=True)
class Action:
    """One kind of action."""

    act: Callable[..., object]
    weight: float
    draws: dict[str, Callable[[Random], Any]]


ACTIONS: dict[str, Action] = {}


def action(weight: float, **draws: Callable[[Random], Any]) -> Callable[[Any], Any]:
    def add(act: Callable[..., object]) -> Callable[..., object]:
        ACTIONS[act.__name__] = Action(act, weight, draws)
        return act

    return add


def share(random: Random) -> float:
    return round(random.random(), 4)


def seed(random: Random) -> int:
    return random.randrange(10**6)


def draw(random: Random) -> dict[str, Any]:
    """Return a random action as JSON."""
    (name,) = random.choices(list(ACTIONS), [row.weight for row in ACTIONS.values()])
    values = {key: value(random) for key, value in ACTIONS[name].draws.items()}
    return {"do": name, "answer": seed(random), **values}


def one_of(items: list[Any], at: float) -> Any:
    return items[int(at * len(items))] if items else None


# The whole window


@action(14, at=share)
def menu(player: Player, at: float) -> None:
    found = sorted(player.window.actions_by_name.items())
    able = [made for name, made in found if made.isEnabled() and name not in LEFT_OUT]
    one_of(able, at).trigger()


@action(24, seed=seed)
def hand(player: Player, seed: int) -> None:
    poke(player.window, Random(seed))


@action(8, at=share, to_images=lambda random: random.random() < 0.7)
def key(player: Player, at: float, to_images: bool) -> None:
    keys = [
        made.shortcut()
        for name, made in sorted(player.window.actions_by_name.items())
        if name not in LEFT_OUT and not made.shortcut().isEmpty()
    ]
    others = "Esc Tab Return Left Right Up Down Home End PgUp PgDown Del Backspace + - 1 9 Q ? ,"
    keys += [QKeySequence(other) for other in others.split()]
    chosen = one_of(keys, at)[0]
    target = player.window.canvas if to_images else QApplication.focusWidget()
    target = target or player.window
    target.setFocus()
    QTest.keyClick(target, chosen.key(), chosen.keyboardModifiers())


@action(3, seed=seed)
def message(player: Player, seed: int) -> None:
    """Press a button of a message, or of the picture that lies over the images."""
    window = player.window
    roots: list[QWidget] = [window.banner, *window.findChildren(PictureView)]
    found = [b for root in roots for b in root.findChildren(QPushButton) if b.isVisible()]
    if found:
        use(Random(seed).choice(found), Random(seed))


@action(2, width=lambda r: r.randint(300, 2200), height=lambda r: r.randint(200, 1400))
def resize(player: Player, width: int, height: int) -> None:
    player.window.resize(width, height)


@action(1, how=lambda r: r.choice(("showMinimized", "showMaximized", "hide", "showFullScreen")))
def put_away(player: Player, how: str) -> None:
    getattr(player.window, how)()
    player.wait(20)
    player.window.showNormal()


@action(1, choice=lambda r: r.choice(("system", "dark", "light")))
def theme(player: Player, choice: str) -> None:
    player.window.set_theme(choice)


@action(0.5, on=lambda r: r.random() < 0.3)
def present(player: Player, on: bool) -> None:
    player.window.view_menu.presentation.setChecked(on)


# Changes of the session


@action(5, layer=lambda r: r.choice(LAYERS), first=lambda r: r.randint(0, 12), count=seed)
def neurons(player: Player, layer: str, first: int, count: int) -> None:
    from ldam_studio.networks.neurons import Neuron

    many = 1 + count % 4
    with suppress(StudioError):
        player.window.controller.set_neurons(tuple(Neuron(layer, first + i) for i in range(many)))


@action(6, at=share, seed=seed)
def setting(player: Player, at: float, seed: int) -> None:
    """Set a setting to any value in its range, or to something that is none."""
    name = one_of(list(SETTINGS), at)
    random, described = Random(seed), SETTINGS[name]
    value = random.choice((described.default, described.default, *VALUES))
    if name == "chains":
        value = random.randint(1, 12)
    if name in ("side", "views") and isinstance(value, int | float) and value > 3:
        return  # images of a million pixels are no test of the window
    with suppress(StudioError):
        player.window.controller.set_value(name, value)


@action(3, count=lambda r: r.randint(1, 12), front=lambda r: r.randint(0, 12))
def chains(player: Player, count: int, front: int) -> None:
    player.window.controller.set_front(front)
    player.window.controller.set_value("chains", count)


@action(3, back=lambda r: r.randint(1, 8), again=lambda r: r.randint(0, 8))
def undo(player: Player, back: int, again: int) -> None:
    for name, times in (("undo", back), ("redo", again)):
        for _ in range(times):
            player.window.actions_by_name[name].trigger()


@action(1, name=lambda r: r.choice(NETWORKS), own=lambda r: r.random() < 0.5)
def compare(player: Player, name: str, own: bool) -> None:
    model = player.window.model
    if model.is_open:
        with player.heart.resting():  # the studio opens networks on other threads
            network = model.outline.lane.network if own else open_network(name)
        with suppress(StudioError):
            player.window.controller.compare(network)


@action(0.7, name=lambda r: r.choice(NETWORKS))
def network(player: Player, name: str) -> None:
    """Change the network and let the chains go on."""
    model = player.window.model
    if model.is_open:
        with player.heart.resting():
            other = open_network(name)
        with suppress(StudioError):
            player.window.controller.set_network(other)


# Openings


@action(1.5, at=share)
def example(player: Player, at: float) -> None:
    _, opening = one_of(list(EXAMPLES), at)
    studio = player.window.studio
    studio.open(opening(studio.device, studio.data))


@action(1, name=lambda r: r.choice((*NETWORKS, "model")))
def open_a_network(player: Player, name: str) -> None:
    from ldam_studio.networks.sources.options import Options

    named = f"{player.files / 'net.py'}:{name}" if name == "model" else name
    options = Options(pixels=small()) if name == "model" else Options()
    studio = player.window.studio
    with player.heart.resting():
        opened = open_network(named, None, options)
    studio.open(network_opening(opened, studio.device))


def small() -> Any:
    from ldam_studio.networks.pixels import PixelSpec

    return PixelSpec(1, 8, 8, (0.5,), (0.5,))


@action(3, seed=seed, drops=lambda r: r.random() < 0.6)
def file(player: Player, seed: int, drops: bool) -> None:
    path = player.some_file(Random(seed))
    if not path:
        return
    if not drops:
        player.window.feature(Files).open(Path(path))
        return
    drop(player.window, [path])


@action(0.5, seed=seed)
def odd_drop(player: Player, seed: int) -> None:
    files = [player.some_file(Random(seed)) for _ in range(2)]
    drop(
        player.window, Random(seed).choice(([], files, [str(player.files)], ["/no/such/file.png"]))
    )


def drop(window: QWidget, paths: list[str]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    place = window.rect().center()
    QApplication.sendEvent(window, QDragEnterEvent(place, copy, data, left, none))
    if not paths:
        QApplication.sendEvent(window, QDragLeaveEvent())
        return
    QApplication.sendEvent(
        window, QDropEvent(QPointF(window.rect().center()), copy, data, left, none)
    )


@action(1, at=share)
def recent_session(player: Player, at: float) -> None:
    player.window.places.menu("File").aboutToShow.emit()
    chosen = one_of(player.window.feature(RecentSessions).menu.actions(), at)
    if chosen is not None:
        chosen.trigger()


@action(0.5, at=share)
def recent_network(player: Player, at: float) -> None:
    player.window.places.menu("File").aboutToShow.emit()
    chosen = one_of(player.window.feature(Files).networks.recent.actions(), at)
    if chosen is not None:
        chosen.trigger()


@action(1, at=share)
def kept_session(player: Player, at: float) -> None:
    """Copy the file of a kept session to the files, where it may be opened."""
    shelf = player.window.studio.shelf
    with suppress(FileNotFoundError):  # the studio may remove files meanwhile
        chosen = one_of(sorted(shelf.folder.glob("*/*.ldam*")), at)
        if chosen is not None:
            shutil.copy(chosen, player.files / f"kept{''.join(chosen.suffixes)}")


@action(2)
def export(player: Player) -> None:
    player.window.actions_by_name["export"].trigger()


# Watching


@action(1, average=lambda r: r.choice((0, 0, 2)), rounds=lambda r: r.choice((0, 0, 1)))
def watch(player: Player, average: int, rounds: int) -> None:
    player.window.feature(Watching).start(player.watched, None, average, rounds)


@action(1.5, step=lambda r: r.randint(3, 40), spoilt=lambda r: r.choice((0.0, 0.0, float("inf"))))
def checkpoint(player: Player, step: int, spoilt: float) -> None:
    with player.heart.resting():
        leave(player.watched, step, spoilt=spoilt)


# Time


@action(3, ms=lambda r: r.choice((20, 60, 200)))
def wait(player: Player, ms: int) -> None:
    pass


@action(1)
def settle(player: Player) -> None:
    player.settle()


@action(0.6, by_menu=lambda r: r.random() < 0.5, settled=lambda r: r.random() < 0.7)
def restart(player: Player, by_menu: bool, settled: bool) -> None:
    if settled:
        player.settle()
    player.restart(by_menu=by_menu)
