"""Connects the gallery of modes to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.picture_rules import keeping
from ldam_studio.engine.kept_modes import KeptMode, modes_of, origin_of
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.picture import to_bytes
from ldam_studio.engine.suiting import EACH_ALONE
from ldam_studio.errors import StudioError
from ldam_studio.gui.modes import words
from ldam_studio.gui.modes.averaging import are_averaged_apart, averaged_apart, each_alone
from ldam_studio.gui.modes.cards import Card
from ldam_studio.gui.modes.collector import Collector
from ldam_studio.gui.modes.panel import ModesPanel
from ldam_studio.gui.modes.real_names import RealNames
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.sampler.schedule import has_schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ldam_studio.explore.modes.observations import Mode
    from ldam_studio.networks.neurons import Neuron

PUSH = 0.03
"""Repulsion that is set where it is off: enough to lead chains that begin anew elsewhere, and so
little that they still draw what excites the neuron. Of 0, 0.01, 0.03, 0.1 and 0.3 it is the least
with which none of ten chains of LeNet's 4 or 7 returned (ten seeds); with 0.3 they excite it less.
"""
CHAINS = 10
"""Chains that look for another mode where images are small."""
SMALL = 64 * 64 * 3
"""Most values of an image of which that many chains are quick."""

SHOW = Entry("modes", "Modes", "", "Show the different images that the chains have found")
FIND = Entry("find_mode", "Find Another Mode", "", "Lead the chains to another mode of the neuron")


class Modes(Feature):
    """Adds the tab with the modes below the images."""

    entries = (SHOW, FIND)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places, model = studio.places, studio.model
        self.panel = ModesPanel()
        self.collector = Collector(studio, self.panel)
        self.collector.changed.connect(self._show)
        self.real = RealNames(studio, self.panel)
        self.real.changed.connect(self._show)
        self.panel.shown.connect(self.collector.watch)
        self.panel.asked.connect(self._act)
        self.panel.kind_changed.connect(lambda: self.collector.compare_by(self.panel.kind))
        self.panel.cards.chosen.connect(lambda _number: self._show_possible())
        for signal in (model.front_changed, model.neurons_changed, model.acting_changed):
            signal.connect(self._turn)
        for changed in (model.session_changed, model.display_changed):
            changed.connect(self._turn)
        places.add_to_menu(
            "Explore",
            places.action(SHOW, lambda: places.show_tab(self.panel)),
            places.action(FIND, self.find),
        )
        places.add_tab("Modes", self.panel)
        self._pictures: dict[tuple[int, object], tuple[object, NDArray[np.uint8]]] = {}
        self._show()

    def leave(self) -> None:
        """Stop looking at the chains."""
        self.collector.leave()
        self.real.leave()

    def close(self) -> None:
        """Wait until the search for real images has ended."""
        self.real.close()

    # What is shown

    def _turn(self) -> None:
        """Show the modes of another neuron, or the same ones in other colours."""
        self._pictures.clear()
        self.collector.hurry()
        self._show()

    def _show(self) -> None:
        if not self.panel.isVisible():
            return
        model = self.studio.model
        if not model.is_open:
            self.panel.show_modes("", (), words.NOTHING, found=False)
            return
        modes = self.collector.modes()
        self.real.look(self._neuron, modes)
        kept = {mode.number for mode in modes if self._kept(mode.number) is not None}
        cards = tuple(self._card(mode, mode.number in kept) for mode in modes)
        label = model.acted.network.label(self._neuron)
        named = words.summary(label or str(self._neuron), *self.collector.counts(), len(modes))
        self.panel.show_modes(named, cards, words.WAITING, found=bool(modes) or self._is_spread)
        self._show_possible()

    def _card(self, mode: Mode, kept: bool) -> Card:
        frame, model = self.studio.frames.last, self.studio.model
        made_large = "activation" if frame is None else model.acted_frame(frame).objective
        lines = words.card(mode, kept, made_large)
        real, tip = self.real.of(mode), words.tip(mode, kept) + self.real.tip(mode)
        near = None if real is None else real.patch
        return Card(mode.number, lines, tip, self._colours(mode), near)

    def _colours(self, mode: Mode) -> NDArray[np.uint8] | None:
        """Return a mode's picture in colours: the part that the neuron sees."""
        if mode.picture is None:
            return None
        key = (mode.number, self.panel.kind)
        if (known := self._pictures.get(key)) is not None and known[0] is mode.picture:
            return known[1]
        model, frame = self.studio.model, self.studio.frames.last
        display, shown = model.display, mode.picture.astype("float32")
        field = None if frame is None else model.acted_frame(frame).field
        if field is not None:
            top, left, bottom, right = field
            shown = shown[:, top:bottom, left:right]
        colours = to_bytes(shown, model.acted.network.pixels, display.mode, display.scale)
        self._pictures[key] = (mode.picture, colours)
        return colours

    def _show_possible(self) -> None:
        mode = self._mode(self.panel.cards.number)
        if mode is None:
            return
        running, there = bool(mode.chains), mode.picture is not None
        possible = {"forget"}
        if running or there:
            possible |= {"send", "others"} | (set() if self._kept(mode.number) else {"keep"})
        if self._kept(mode.number) is not None:
            possible.discard("keep")
        if running:
            possible.add("average")
        apart = are_averaged_apart(self.studio.model.acted, mode.chains)
        self.panel.set_possible(possible, averaged=apart)

    # The session

    @property
    def _neuron(self) -> Neuron:
        model = self.studio.model
        return model.acted.neurons[model.front]

    @property
    def _is_spread(self) -> bool:
        """Whether chains show different neurons."""
        return len(set(self.studio.model.acted.neurons)) > 1

    def _mode(self, number: int) -> Mode | None:
        return next((mode for mode in self.collector.modes() if mode.number == number), None)

    def _kept(self, number: int) -> int | None:
        """Return the number of the kept picture of a mode; None if it is not kept."""
        if not self.studio.model.is_open:
            return None
        pictures = self.studio.model.outline.pictures
        named = self._title(number)
        kept = modes_of(pictures, self._neuron)
        return next((n for n in kept if pictures[n].title == named), None)

    def _title(self, number: int) -> str:
        return words.kept_title(number, str(self._neuron), self.panel.kind)

    # What is done with a mode

    def _act(self, name: str, number: int) -> None:
        if name == "find":
            self.find()
            return
        mode = self._mode(number)
        if mode is None or not self.studio.model.is_open:
            return
        self.studio.notices.dismiss("modes")
        try:
            getattr(self, f"_{name}")(mode)
        except StudioError as error:
            self.studio.notices.say(str(error), "warning", key="modes")
        self.collector.hurry()
        self._show()

    def _keeping(self, mode: Mode) -> tuple[list[Change], int]:
        """Return the changes that keep a mode, none if it is kept, and its picture's number."""
        model, number = self.studio.model, self._kept(mode.number)
        if number is not None:
            return [], number
        title = self._title(mode.number)
        if mode.chains:
            kept = KeptMode(tuple(sorted(mode.chains)), title)
            return [Change("keep_mode", kept, model.acting)], len(model.outline.pictures)
        if mode.picture is None:
            raise StudioError(f"The picture of {title} has not arrived yet; try again in a second.")
        pixels = model.acted.network.pixels
        picture = KeptPicture(
            torch.from_numpy(mode.picture.astype("float32")),
            title,
            origin_of(self._neuron),
            pixels.bounds,
            float(pixels.rest),
        )
        return keeping(model.outline.pictures, picture)

    def _keep(self, mode: Mode) -> None:
        changes, _ = self._keeping(mode)
        if changes:
            self.studio.controller.make_together({}, changes, "Keep Mode")

    def _send(self, mode: Mode) -> None:
        model, neuron = self.studio.model, self._neuron
        changes, number = self._keeping(mode)
        chains = tuple(n for n, each in enumerate(model.acted.neurons) if each == neuron)
        changes.append(Change("start_from", StartFrom(number, chains)))
        self.studio.controller.make_together(each_alone(model.acted), changes, "Send Chains There")

    def _average(self, mode: Mode) -> None:
        """Average over a mode's chains apart from others; once more for each chain's average."""
        model = self.studio.model
        values = EACH_ALONE
        if not are_averaged_apart(model.acted, mode.chains):
            values = averaged_apart(model.acted, mode.chains)
            model.set_front(mode.chains[0])
        self.studio.controller.set_values(values, text="Average Only This")

    def _others(self, mode: Mode) -> None:
        self._push_away(mode, "Look for Others")

    def _push_away(self, mode: Mode, text: str) -> None:
        """Keep a mode, push chains away from it, and let those that nobody holds begin at noise.

        A melt would leave traces of the image that was there. A schedule begins again, as after a
        melt, if all chains do.
        """
        model, neuron = self.studio.model, self._neuron
        free = set(range(model.chains)).difference(model.outline.held)
        chains = tuple(n for n in sorted(free) if model.acted.neurons[n] == neuron)
        if not chains:
            raise StudioError("All chains of this neuron are held; release one of them first.")
        changes, _ = self._keeping(mode)
        weight = model.acted.settings.repulsion
        is_on = any(weight) if isinstance(weight, tuple) else weight > 0
        values = each_alone(model.acted) | ({} if is_on else {"repulsion": PUSH})
        if len(chains) == model.chains and has_schedule(model.acted.settings):
            changes.append(Change("run_schedule", None, model.acting))
        changes.append(Change("restart_some", chains))
        self.studio.controller.make_together(values, changes, text)
        self.studio.controller.play()

    def _forget(self, mode: Mode) -> None:
        number = self._kept(mode.number)
        if number is not None:
            self.studio.controller.make(Change("forget_mode", number), "Forget Mode")
        self.collector.forget(mode.number)

    def find(self) -> None:
        """Lead the chains to another mode: more chains first, then away from those found."""
        studio, model = self.studio, self.studio.model
        if not model.is_open:
            return
        studio.places.show_tab(self.panel)
        studio.notices.dismiss("modes")
        try:
            self._find()
        except StudioError as error:
            studio.notices.say(str(error), "warning", key="modes")
        self.collector.hurry()

    def _find(self) -> None:
        controller, model = self.studio.controller, self.studio.model
        modes = [m for m in self.collector.modes() if m.chains or m.picture is not None]
        values = 1
        for side in model.acted.network.pixels.shape:
            values *= side
        if self._is_spread:
            controller.set_neurons(self._neuron)
        elif model.chains == 1 and values <= SMALL and not model.is_comparing:
            controller.set_value("chains", CHAINS)
        elif not modes:
            self.studio.notices.say(
                "No chain has settled yet; the first mode comes once one has burned in.",
                key="modes",
            )
        else:
            # One at a time: pushed away from many modes at once, chains draw nothing any more.
            most = max(modes, key=lambda mode: (len(mode.chains), mode.count))
            self._push_away(most, "Find Another")
        controller.play()
