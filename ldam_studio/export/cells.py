"""What a recipe says of a contact sheet: its cells, each the picture of one neuron."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ldam_studio.engine.description import MOST_CHAINS, Count, Text

MOST_CELLS = 4096
"""Neurons of one sheet; its page still has fewer pixels than Pillow takes for an attack."""


class Cell(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The picture of one neuron: its address, and the step and the chain at which it was taken."""

    neuron: Text
    step: Count
    chain: Annotated[int, Meta(ge=0, lt=MOST_CHAINS)]
    caption: Text


class SheetDescription(Struct, frozen=True):
    """A page of cells, in the order in which they are shown."""

    title: Text
    cells: Annotated[tuple[Cell, ...], Meta(min_length=1, max_length=MOST_CELLS)]
