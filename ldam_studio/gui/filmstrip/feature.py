"""Pins moments of the session, shows them as a filmstrip, and goes back to them."""

from __future__ import annotations

import time
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING
from weakref import WeakSet

from PyQt6.QtCore import QElapsedTimer

from ldam_studio.export.filmstrip.pins import MOST_NAME, MOST_PINS, Pin
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.filmstrip.beside import Beside
from ldam_studio.gui.filmstrip.carrying import Carrying
from ldam_studio.gui.filmstrip.keeper import Keeper
from ldam_studio.gui.filmstrip.panel import FilmstripPanel
from ldam_studio.gui.filmstrip.restoring import Restoring
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from ldam_studio.engine.description import SessionDescription
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.export.filmstrip.folder import Kept
    from ldam_studio.export.filmstrip.moments import Look
    from ldam_studio.export.recipe import Recipe
    from ldam_studio.networks.network import Network

PIN = Entry(
    "pin",
    "Pin This Moment",
    "P",
    "Keep the moment that you see in the filmstrip",
    canvas=True,
    needs_session=True,
)
SHOW = Entry("filmstrip", "Filmstrip", "", "Show the pinned moments below the images")
EXPORT = Entry(
    "export_filmstrip",
    "Export Filmstrip…",
    "",
    "Save all pinned pictures with their recipes in a folder",
    needs_session=True,
)
NOTICE = "filmstrip"  # the key of messages
MOST_WAITING = 16  # pins that wait to be written; each keeps a copy of the session
HELD_MS = 250  # presses that follow each other faster are those of a held key


class FilmstripTab(Feature):
    """Adds the tab with the filmstrip below the images.

    The list that the window shows is the true one: each job on the files gets all pins as they are
    then.
    """

    entries = (PIN, SHOW, EXPORT)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, controller = studio.places, studio.controller
        self.panel = FilmstripPanel()
        self.keeper = Keeper(studio, places.root)
        self.keeper.failed.connect(self._warn)
        self._question = PatientQuestion(studio, "pin", "pin this moment")
        self._networks: WeakSet[Network] = WeakSet()  # of pins of this run
        self.restoring = Restoring(
            studio, self.keeper, self._networks, self.panel.pins.mark_going_back
        )
        self.carrying = Carrying(studio, self.keeper, self.panel)
        self._beside: Beside | None = None
        self._then: SessionDescription | None = None
        self._pressed = QElapsedTimer()
        self._looks: list[Look] | None = None  # pinned while the filmstrip is read; else None
        pin = places.action(PIN, self._press)
        pin.setAutoRepeat(False)
        # Who clicks a pin goes on from there: P and Space act in the strip, too.
        self.panel.strip.addActions([pin, places.actions()["play"]])
        places.add_to_menu("Edit", pin)
        places.add_to_menu("Explore", places.action(SHOW, lambda: places.show_tab(self.panel)))
        places.add_to_menu("File", places.action(EXPORT, self.carrying.export_all))
        places.add_tab("Filmstrip", self.panel)
        self.panel.asked.connect(lambda name, pin: getattr(self, f"_{name}")(pin))
        self.panel.pin_asked.connect(self.pin)
        self.panel.export_asked.connect(self.carrying.export_all)
        self.panel.pins.edited.connect(self._edit)
        controller.opening.connect(lambda _opening: self._leave_session())
        controller.opened.connect(lambda _opening: self._read())
        studio.frames.shown.connect(self._show_frame)
        studio.frames.read.connect(lambda _frame: self._say_differences())
        if studio.model.is_open:
            self._read()

    def leave(self) -> None:
        """Pin nothing any more; what was pinned is still written."""
        self._question.cancel()
        self.restoring.leave()

    def close(self) -> None:
        """Remove what was dragged out."""
        self.keeper.leave()  # the panel is deleted before what has ended comes back
        self.carrying.close()

    # The session

    def _leave_session(self) -> None:
        self._looks = None
        self._end_comparison()
        self._networks.clear()
        self.panel.pins.clear()

    def _read(self) -> None:
        if self.studio.shelf is not None:  # else there is none from an earlier start
            # A list that is written before would leave out the pins that are read.
            self._looks = []
            # Where there is no folder for the session, its saving says so.
            self.keeper.do(lambda film: film.read(), self._show_read, lambda _why: self._go_on())

    def _show_read(self, found: tuple[list[Kept], list[str]]) -> None:
        kept, said = found
        self.panel.pins.insert(0, kept)
        if said:
            self._warn(" ".join([said[0], *words.and_more(len(said) - 1)]))
        self._go_on()

    def _go_on(self) -> None:
        looks, self._looks = self._looks or [], None
        for look in looks:
            self._take(look)

    # Pinning

    def _press(self) -> None:
        """Pin, unless the key is held: some systems report each repeat as a key that is pressed."""
        held = self._pressed.isValid() and self._pressed.elapsed() < HELD_MS
        self._pressed.start()
        if not held:
            self.pin()

    def pin(self) -> None:
        """Pin the session after its current step, with the picture that the images show."""
        from ldam_studio.export.filmstrip.moments import look_at

        model, early = self.studio.model, len(self._looks or ())
        count = self.panel.pins.rowCount() + early
        if not model.is_open:
            return
        if count >= MOST_PINS or self.keeper.waiting + early >= MOST_WAITING:
            self._warn(words.FULL if count >= MOST_PINS else words.BUSY)
            return
        display = model.display
        self._question.ask(
            partial(look_at, front=model.front, display=display.mode, scale=display.scale),
            self._take,
        )

    def _take(self, look: Look) -> None:
        from ldam_studio.export.filmstrip.folder import Kept, thumbnail

        if self._looks is not None:
            self._looks.append(look)
            return
        state, pins = look.state, self.panel.pins
        pin = Pin(
            id=token_hex(6),
            step=state.step,
            neuron=look.neuron[:MOST_NAME],
            title=self.studio.model.whole_title[:MOST_NAME],
            when=time.time(),
            front=look.shown.front,
        )
        self._networks.update(lane.network for lane in state.lanes)
        pins.insert(pins.rowCount(), [Kept(pin, thumbnail(look.picture))])
        every = pins.pins
        self.keeper.do(
            lambda film: film.add(pin, state, look.picture, look.shown, every),
            otherwise=partial(self._give_up, pin),
        )
        self._tell_pinned(pin)

    def _tell_pinned(self, pin: Pin) -> None:
        pins, places = self.panel.pins, self.studio.places
        if pins.rowCount() == 1:
            places.show_tab(self.panel)
        elif not self.panel.isVisible():
            offer = ("Show the filmstrip", lambda: places.show_tab(self.panel))
            self.studio.notices.say(f"Pinned {words.step(pin)}.", actions=[offer], key=NOTICE)
        self.panel.strip.choose(pins.rowCount() - 1)

    def _give_up(self, pin: Pin, why: str) -> None:
        row = self.panel.pins.row_of(pin)
        if row is not None:
            self.panel.pins.take(row)
            self._write()
        self._warn(f"The moment was not pinned: {why}")

    def _write(self) -> None:
        every = self.panel.pins.pins
        self.keeper.do(lambda film: film.write(every))

    def _edit(self, before: tuple[Pin, ...], text: str) -> None:
        """Write notes, stars and order that were changed; undo brings back those `before`."""
        after = self.panel.pins.pins
        self._write()
        self.studio.controller.note_deed(
            partial(self._arrange, before), partial(self._arrange, after), text
        )

    def _arrange(self, pins: tuple[Pin, ...]) -> None:
        chosen = self.panel.pins.pin_at(self.panel.strip.currentIndex())
        self.panel.pins.arrange(pins)
        row = None if chosen is None else self.panel.pins.row_of(chosen)
        self.panel.strip.choose(row or 0)
        self._write()

    def _warn(self, sentence: str) -> None:
        self.studio.notices.say(sentence, "warning", key=NOTICE)

    # What is asked of a pin

    def _restore(self, pin: Pin) -> None:
        self._end_comparison()
        self.restoring.restore(pin)

    def _drag(self, pin: Pin) -> None:
        self.carrying.drag(pin)

    def _delete(self, pin: Pin) -> None:
        row = self.panel.pins.row_of(pin)
        if row is None:
            return
        taken = [self.panel.pins.take(row)]
        self.panel.strip.choose(row)
        every = self.panel.pins.pins
        self.keeper.do(lambda film: film.delete(pin, every))

        def bring_back() -> None:
            self.panel.pins.put(row, taken[0])
            self.panel.strip.choose(row)
            every = self.panel.pins.pins
            self.keeper.do(lambda film: film.bring_back(pin, every))

        self.studio.controller.note_deed(bring_back, lambda: self._delete_again(pin), "Delete Pin")

    def _delete_again(self, pin: Pin) -> None:
        row = self.panel.pins.row_of(pin)
        if row is not None:
            self.panel.pins.take(row)
            every = self.panel.pins.pins
            self.keeper.do(lambda film: film.delete(pin, every))

    # Beside the present

    def _compare(self, pin: Pin) -> None:
        self.keeper.do(lambda film: film.picture(pin), partial(self._show_beside, pin))

    def _show_beside(self, pin: Pin, found: tuple[Recipe, Bytes]) -> None:
        recipe, picture = found
        view = self._beside = Beside(pin, picture, recipe.shown)
        self._then = recipe.said.end
        view.restored.connect(lambda: self._restore(pin))
        view.closed.connect(self._end_comparison)
        view.destroyed.connect(partial(self._forget, view))
        self.studio.places.cover(view)
        self._say_differences()
        if (frame := self.studio.frames.last) is not None:
            self._show_frame(frame)

    def _end_comparison(self) -> None:
        if self._beside is not None:
            self._beside = None
            self.studio.places.cover(None)

    def _forget(self, view: Beside) -> None:
        """Something else was laid over the images."""
        if self._beside is view:
            self._beside = None

    def _show_frame(self, frame: Frame) -> None:
        if self._beside is not None:
            self._beside.show_frame(frame, self.studio.model.outline.lane.network.pixels)

    def _say_differences(self) -> None:
        if self._beside is not None and self._then is not None:
            self._beside.say(words.differences(self._then, self.studio.model.outline))
