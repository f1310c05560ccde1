"""What can be done with the menu "Explore", schedules and recordings; added to the actions."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from actions import NETWORKS, action, one_of, seed, share, small
from player import Player
from pokes import poke

from ldam_studio.errors import StudioError
from ldam_studio.gui.filmstrip.feature import FilmstripTab
from ldam_studio.gui.modes.feature import Modes
from ldam_studio.gui.photograph.feature import Photographs
from ldam_studio.gui.recorder.catching import WHAT
from ldam_studio.gui.recorder.choice import RecordingChoice
from ldam_studio.gui.recorder.feature import Recordings
from ldam_studio.gui.sheets.feature import Sheets
from ldam_studio.gui.verdict.feature import JudgeVerdicts
from ldam_studio.gui.wall.feature import ChainWall
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

DEEDS = ("melt", "restart", "hold", "keep")
SHAPES = ("once", "cycles", "curves", "cycles", "x")
CURVES = ("", "0:1, 20:0.1", "5:0.5", "0:nan", "0:1, 0:2", "0:1e308", "0:1," * 40)
FOLLOW = ("temperature", "step_size", "discriminator_weight", "denoiser_noise", "resolution")
PHOTOGRAPHS = ("photograph.jpg", "line.bmp", "odd.tif", "empty.png", "half.png")
PIN_DEEDS = ("pin", "pin", "restore", "restore", "compare", "star", "note", "move", "delete")
TABS = ("filmstrip", "modes", "real-images", "show_verdict", "agreement", "agreement_always")


def is_ready(player: Player) -> bool:
    """Return whether a session is open, and all features are there."""
    return player.window.model.is_open and player.window.has_all_features


@action(4, on=lambda r: r.random() < 0.7, chosen=seed, what=lambda r: r.choice((*DEEDS, "", "")))
def wall(player: Player, on: bool, chosen: int, what: str) -> None:
    """Show or leave the wall; choose some chains, and do something to them."""
    if not is_ready(player):
        return
    feature = player.window.feature(ChainWall)
    feature.action.setChecked(on and feature.action.isEnabled())
    if not feature.is_up:
        return
    feature.wall.choose(chain for chain in range(feature.wall.chains) if chosen >> chain % 16 & 1)
    if what:
        feature.act(what)


@action(2, seed=seed, what=lambda r: r.choice(("look", "draw", "draw", "cancel", "open", "close")))
def sheet(player: Player, seed: int, what: str) -> None:
    """Show the contact sheet of the layer in front, draw a few neurons, cancel, open one."""
    if not is_ready(player):
        return
    feature, random = player.window.feature(Sheets), Random(seed)
    feature.show()
    dialog = feature.dialog
    assert dialog is not None
    dialog.chains.setValue(1 + seed % 3)
    dialog.steps.setValue(2 + seed % 30)
    dialog.numbers.setText(random.choice(("", "0-3", "1,2", "99999", "x", "3-")))
    if what == "draw":
        dialog.draw_asked.emit()
        player.wait(random.choice((0, 50, 400)))
    elif what == "cancel":
        dialog.cancel_asked.emit()
    elif what == "open":
        drawn = list(dialog.cells.thumbnails.values())
        if drawn:
            dialog.opened.emit(random.choice(drawn))
    else:
        poke(dialog, random)
    if what != "draw" or random.random() < 0.5:
        dialog.close()


@action(3, name=lambda r: r.choice(TABS))
def tab(player: Player, name: str) -> None:
    """Show one of the tabs below the images."""
    if not is_ready(player):
        return
    made = player.window.actions_by_name[name]
    if made.isEnabled():
        made.trigger()


@action(2, at=share, what=lambda r: r.choice(("keep", "send", "average", "others", "forget", "")))
def mode(player: Player, at: float, what: str) -> None:
    """Do something with one of the modes that were found, or look for another one."""
    if not is_ready(player):
        return
    feature = player.window.feature(Modes)
    if not what:
        feature.find()
        return
    feature.panel.asked.emit(what, int(5 * at))


@action(4, at=share, what=lambda r: r.choice(PIN_DEEDS))
def filmstrip(player: Player, at: float, what: str) -> None:
    """Pin the moment, or do something with one of the pins."""
    if not is_ready(player):
        return
    feature = player.window.feature(FilmstripTab)
    panel, count = feature.panel, feature.panel.pins.rowCount()
    row = int(at * count)
    if what == "pin" or not count:
        feature.pin()
    elif what == "star":
        panel.pins.star(row)
    elif what == "note":
        panel.pins.setData(panel.pins.index(row), f"note {at}")
    elif what == "move":
        panel.pins.shift(row, -1 if at < 0.5 else 1)
    else:
        panel.asked.emit(what, panel.pins.pins[row])


@action(3, name=lambda r: r.choice(PHOTOGRAPHS), then=lambda r: r.choice("sprx"), to=seed)
def photograph(player: Player, name: str, then: str, to: int) -> None:
    """Open a photograph, begin at it, push it to a class, or let the chains go."""
    if not is_ready(player):
        return
    feature = player.window.feature(Photographs)
    with suppress(StudioError):
        if then == "x" or feature.panel is None:
            feature.open(player.files / name)
            return
    if feature.panel is None:
        return
    if then == "s":
        feature.panel.started.emit()
    elif then == "p":
        feature.panel.pushed.emit(("3", "7", "fc3:1", "no such class", "", "99")[to % 6])
    else:
        feature.panel.released.emit()


@action(1, name=lambda r: r.choice((*NETWORKS, "model", "")))
def judge(player: Player, name: str) -> None:
    """Let a network judge, or close the judge; one has other classes."""
    if not is_ready(player):
        return
    feature = player.window.feature(JudgeVerdicts)
    if not name:
        if feature.panel is not None:
            feature.panel.closed.emit()
        return
    own = name == "model"
    named, options = (
        (f"{player.files / 'net.py'}:model", Options(pixels=small())) if own else (name, None)
    )
    with player.heart.resting():
        opened = open_network(named, None, options or Options())
    feature.open_network(opened)


@action(3, shape=lambda r: r.choice(SHAPES), steps=lambda r: r.randint(0, 60), run=seed)
def schedule(player: Player, shape: str, steps: int, run: int) -> None:
    """Choose the shape of the schedule; start, stop or leave it."""
    controller, window = player.window.controller, player.window
    with suppress(StudioError):
        controller.set_value("schedule_shape", shape)
    with suppress(StudioError):
        controller.set_value("schedule", steps)
        controller.set_value("temperature_start", float(run % 3))
    names = [name for name in window.actions_by_name if "schedule" in name]
    made = window.actions_by_name[names[run % len(names)]] if names else None
    if made is not None and made.isEnabled():
        made.trigger()


@action(2, name=lambda r: r.choice(FOLLOW), at=share)
def curve(player: Player, name: str, at: float) -> None:
    """Draw a curve, which may be none."""
    with suppress(StudioError):
        player.window.controller.set_value(f"{name}_curve", one_of(list(CURVES), at))


@action(2, rungs=lambda r: r.choice((0, 0, 1, 2, 3, 4, 999)))
def tempering(player: Player, rungs: int) -> None:
    """Turn tempering on or off."""
    with suppress(StudioError):
        player.window.controller.set_value("tempering", rungs)


@action(
    3,
    what=lambda r: r.choice((*WHAT, "", "", "dialog")),
    every=lambda r: r.choice((1, 1, 3, 50)),
    name=lambda r: r.choice(("a.webp", "a.png", "a.gif", "a.mp4", "new/a.webp", "net.py/a.gif")),
    loop=lambda r: r.random() < 0.3,
)
def record(player: Player, what: str, every: int, name: str, loop: bool) -> None:
    """Begin a recording, end it, or look at its dialog."""
    if not is_ready(player):
        return
    recorder = player.window.feature(Recordings)
    if what == "dialog":
        recorder.toggle()
    elif what:
        recorder.start(RecordingChoice(what, 64, 30, every, loop, every > 1, player.files / name))
    else:
        recorder.stop()


@action(1)
def settled(player: Player) -> None:
    """Show in another way how settled the average's pixels are, or not at all."""
    if not is_ready(player):
        return
    player.window.actions_by_name["settled"].trigger()


@action(1, where=lambda r: r.choice(("files", "files", "watched", "nowhere", "digits", "")))
def index(player: Player, where: str) -> None:
    """Index the pictures among the files, or what has none; or stop."""
    if not is_ready(player):
        return
    from ldam_studio.explore.real_images.sources import FOLDER, Spec
    from ldam_studio.gui.real_images.chosen import Choice
    from ldam_studio.gui.real_images.feature import RealImages

    beside, model = player.window.feature(RealImages).beside, player.window.model
    if not where:
        beside.showing.cancel()
        return
    lane = model.acted
    place = str(getattr(player, where, player.files / where))
    spec = Spec("digits") if where == "digits" else Spec(FOLDER, place)
    limit = 50 if where == "digits" else 0
    beside.showing.build(lane.network, Choice(spec, limit), (lane.neurons[0].layer,))
