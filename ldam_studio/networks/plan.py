"""The plan of execution: how a network's module is run, without changing what it computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

FORMER, CONTIGUOUS, CHANNELS_LAST = LAYOUTS = ("former", "contiguous", "channels_last")
TORCH, ONEDNN = FIRST_LAYERS = ("torch", "onednn")
FLOAT32, BFLOAT16 = "float32", "bfloat16"


@dataclass(frozen=True)
class Plan:
    """How a network is run. Results differ only by rounding.

    Attributes
    ----------
    precision
        "float32" or "bfloat16", of the network and its gradient.
    threads
        Number of processor threads.
    layout
        The memory format of everything within the network: "contiguous" or "channels_last". Then a
        copy of the module that is prepared for this plan is run, and with bfloat16 its weights are
        in bfloat16. "former" is what versions up to 0.1.0 did: the module itself with weights in
        channels_last, and autocast for bfloat16.
    first_layers
        Whose convolution computes the layers that look at pixels, in float32: "torch" or "onednn".
    folded
        Whether batch norms are part of the convolutions before them, where that is possible.
    """

    precision: str = FLOAT32
    threads: int = 1
    layout: str = FORMER
    first_layers: str = TORCH
    folded: bool = True

    @property
    def copies(self) -> bool:
        """Whether a prepared copy of the module is run, not the module itself."""
        return self.layout in (CONTIGUOUS, CHANNELS_LAST)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the network's numbers."""
        return torch.bfloat16 if self.precision == BFLOAT16 else torch.float32

    @property
    def memory_format(self) -> torch.memory_format:
        """The memory format of the images inside a prepared copy."""
        return torch.channels_last if self.layout == CHANNELS_LAST else torch.contiguous_format

    def autocast(self, device: str) -> AbstractContextManager[object]:
        """Return the context in which the module itself runs; prepared copies need none."""
        if self.copies or self.precision != BFLOAT16:
            return nullcontext()
        return torch.autocast(device, torch.bfloat16)

    @property
    def words(self) -> str:
        """The plan in words, without its threads."""
        words = self.precision
        if self.copies:
            words += f", {self.layout.replace('_', ' ')}"
            if self.precision == FLOAT32 and self.first_layers == TORCH:
                words += ", torch's first layers"
            if not self.folded:
                words += ", norms not folded"
        return words


PLAIN = Plan()
"""The plan of figures and trainings, and of recipes that record none."""
