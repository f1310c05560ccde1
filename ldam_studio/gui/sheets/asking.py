"""What a contact sheet asks of the session: its settings, and to begin at one of its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.picture_rules import keeping
from ldam_studio.engine.kept_pictures import StartFrom
from ldam_studio.errors import StudioError
from ldam_studio.gui.neuron_grid.asking import settings_of
from ldam_studio.gui.sheets.work import Wanted, numbers_in

if TYPE_CHECKING:
    from ldam_studio.engine.kept_pictures import KeptPicture
    from ldam_studio.gui.sheets.dialog import SheetDialog
    from ldam_studio.gui.studio import Studio
    from ldam_studio.networks.neurons import Neuron


def asked(studio: Studio, dialog: SheetDialog, layer: str) -> Wanted:
    """Return the sheet of a layer that is asked for.

    Raises
    ------
    StudioError
        If its neurons are not written as numbers and ranges of the layer.
    """
    model = studio.model
    lane, outline = model.acted, model.outline
    settings = settings_of(studio, layer)
    weighs = settings.discriminator_weight != 0
    return Wanted(
        network=lane.network,
        layer=layer,
        numbers=numbers_in(dialog.numbers.text(), lane.network.layer(layer).neurons),
        settings=settings,
        device=outline.device,
        discriminator=outline.discriminator if weighs else None,
        chains=dialog.chains.value(),
        steps=dialog.steps.value(),
        seed=outline.seed,
        display=model.display.mode,
    )


def begin_at(studio: Studio, neuron: Neuron, picture: KeptPicture | None) -> None:
    """Let all chains begin at the picture of a neuron, or only turn to it if there is none."""
    controller = studio.controller
    if picture is None:
        controller.set_neurons(neuron)
        return
    keep, number = keeping(studio.model.outline.pictures, picture)
    start = Change("start_from", StartFrom(number))
    try:
        controller.turn_together(neuron, [*keep, start], "Neuron of the Sheet")
    except StudioError:  # the session keeps as many pictures as it can
        controller.set_neurons(neuron)
