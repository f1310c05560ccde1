"""What the value of a class neuron, one of a network's outputs, can be besides its activation."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from ldam_studio.networks.anatomy.ending import Ending

ACTIVATION = "activation"


@dataclass(frozen=True)
class ClassValue:
    """A value of the outputs that is not their activation, and the forward pass that it needs.

    Attributes
    ----------
    name
        Its value of the setting `objective`.
    ending
        How the network ends.
    """

    name: str
    ending: Ending

    @property
    def _both(self) -> bool:
        return self.name == "mix" and self.ending.doubles

    def forward_pass(self) -> AbstractContextManager[object]:
        """Return the context of the forward pass that computes the outputs for `of`."""
        if self._both:
            return self.ending.opened_both()
        # Without both at once, a mix takes its first part from the rectified outputs, too.
        return self.ending.opened(rectified=self.name != "pre-activation")

    def of(self, outputs: Tensor) -> Tensor:
        """Return the values of all neurons, (n, neurons), in float32.

        Parameters
        ----------
        outputs
            The outputs of `forward_pass` for n images at one place, (n, neurons), or (2 n, neurons)
            if it computes them with and without the rectifier.
        """
        outputs = outputs.float()
        if self.name == "pre-activation":
            return outputs
        rectified, before = outputs.chunk(2) if self._both else (outputs, outputs)
        if self.ending.sigmoid or outputs.shape[1] == 1:
            log_p = functional.logsigmoid(rectified)
        else:
            log_p = rectified.log_softmax(1)
        return before + log_p if self.name == "mix" else log_p


def forward_pass_for(value: ClassValue | None) -> AbstractContextManager[object]:
    """Return the context of the forward pass for a class value; None stands for activations."""
    return nullcontext() if value is None else value.forward_pass()


def at_place(output: Tensor, place: tuple[int, ...]) -> Tensor:
    """Return the neurons at one place: (n, neurons, *places) -> (n, neurons)."""
    for at in place:
        output = output.select(2, at)
    return output
