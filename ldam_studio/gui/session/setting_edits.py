"""What the user does to settings: one or several, a preset, and those that suit other neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.suiting import WEIGHT
from ldam_studio.gui.session.edits import RUN_SCHEDULE, Edits
from ldam_studio.gui.session.fitting_values import stable_values, suited_values
from ldam_studio.gui.session.lanes import NEURONS, largest
from ldam_studio.sampler.schedule_settings import CURVES

if TYPE_CHECKING:
    from ldam_studio.gui.session.model import Model
    from ldam_studio.networks.neurons import Neuron
    from ldam_studio.sampler.presets import Preset


class SettingEdits(Edits):
    """Changes of settings, which keep steps stable and follow the neurons that are shown."""

    # What was done to settings; empty once that no longer holds.
    suited = pyqtSignal(str)  # which of them follow the neurons
    limited = pyqtSignal(str)  # which of them are limited, so that steps stay stable

    def __init__(self, model: Model, parent: QObject | None = None) -> None:
        super().__init__(model, parent)
        self._judged: Any = None
        """The discriminator's weight for classes while neurons of an inner layer are shown."""

    def _leave(self) -> None:
        self._judged = None
        super()._leave()

    def set_value(self, name: str, value: Any) -> None:
        """Change a setting by its name; an invalid value changes nothing and is reported."""
        if name == "chains" and self.model.is_open and value < self.model.chains:
            self._keep(value)
        else:
            self.set_values({name: value})

    def _keep(self, count: int) -> None:
        """Keep the first chains, and the front chain among them; undoing brings the others back."""
        front = self.model.front
        kept = [*range(count - 1), max(front, count - 1)]
        self.make(Change("keep", tuple(kept)), "Chains")
        self.model.set_front(min(front, count - 1))

    def set_values(self, values: Mapping[str, Any], *, note: bool = True, text: str = "") -> None:
        """Change settings of the lane that is acted on, as far as steps stay stable; see `_set`."""
        if WEIGHT in values:
            self._judged = None  # what a person sets by hand holds for classes, too
        self._set(self._limited(values), self.model.acting, note=note, text=text)

    def _limited(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return values with which steps are stable, and say which were limited."""
        if self._runner is None:
            return values
        found, said = stable_values(self.model.outline, self.model.acting, values)
        self.limited.emit(said)
        for name in found:
            if found[name] != values.get(name):
                # What moved the slider too far shows where it is now, even if nothing changes.
                self.model.value_changed.emit(name)
        return found

    def apply_preset(self, preset: Preset) -> None:
        """Set the values of a preset, start a new average, and run its schedule if it has one.

        Without the schedule, the small steps at its end would take long to turn a picture.
        """
        values = self.model.values_of(preset)
        shape, has = self.model.acted.network.pixels.shape, self.model.outline.discriminator
        of_classes = preset.values(shape, discriminator=has is not None)
        judged = of_classes.get(WEIGHT, self._judged)
        self.set_values(values, text=f"Preset {preset.label}")
        self._judged = judged
        if values.get("schedule") or values.get("schedule_shape") == CURVES:
            self._try(Change(RUN_SCHEDULE, None, self.model.acting))
        self._try(Change("reset_average", None, self.model.acting))

    def suited_to(self, neurons: tuple[Neuron, ...]) -> dict[str, Any]:
        """Return the settings that change when the lanes that are acted on turn to neurons.

        There are as many neurons as chains. Values are `PerLane` where lanes differ.
        """
        if not self.model.is_open:
            return {}
        # What cannot be made is reported when the neurons are set.
        return suited_values(self.model.outline, self.model.acting, neurons, self._judged)

    def _turning_to(self, neurons: tuple[Neuron, ...]) -> dict[str, Any]:
        """Return `suited_to`, and remember the discriminator's weight if it is taken away."""
        found = self.suited_to(neurons)
        if WEIGHT in found and not largest(found[WEIGHT]):
            self._judged = self.model.outline.lane.settings.discriminator_weight
        return found

    def turn_together(self, neuron: Neuron, changes: Sequence[Change], text: str) -> None:
        """Show a neuron with the settings that suit it, then make changes, undone as one.

        Raises
        ------
        StudioError
            If one of them cannot be made; nothing is changed then.
        """
        neurons = (neuron,) * self.model.chains
        turn = Change(NEURONS, neurons, self.model.acting)
        self.make_together(self._turning_to(neurons), [turn, *changes], text)

    def undo(self) -> None:
        """Undo the last change; what was said of it no longer holds."""
        super().undo()
        self.suited.emit("")
        self.limited.emit("")
