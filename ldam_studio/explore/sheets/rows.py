"""What a contact sheet says of each neuron, as its index has it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ldam_studio.engine.description import MOST_CHAINS, Count, Text


class SheetRow(Struct, frozen=True):
    """One neuron of a sheet.

    Attributes
    ----------
    activation
        The neuron's activation on its picture.
    converged
        Whether the picture had converged before the last step, see `settling.Settling`.
    silent
        Whether the neuron gave no gradient, so that its picture is noise.
    steps
        How many steps its chains took.
    chain
        Which of its chains the picture shows: that of the highest activation.
    agreement
        How alike the averages of its chains are, from -1 to 1; None for a single chain.
    """

    neuron: Text
    label: Text
    activation: float
    converged: bool
    silent: bool
    steps: Count
    chain: Annotated[int, Meta(ge=0, lt=MOST_CHAINS)]
    agreement: float | None = None

    @property
    def state(self) -> str:
        """How far the picture is, in words."""
        if self.silent:
            return "no gradient: the picture is noise"
        return "converged" if self.converged else "not converged"
