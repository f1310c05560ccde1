"""What a kernel is: a way to move every chain by one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.parameters import Parameters


@dataclass(frozen=True)
class State:
    """The chains: x of shape (chains, C, H, W) in pixel units, and what a kernel remembers of them.

    `memory` has tensors by name, each with the chains along its first axis. It is empty where the
    chains begin, and a kernel then fills it in the first step.
    """

    x: Tensor
    memory: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Info:
    """What a step saw at the x from which it started, each of shape (chains,).

    `real_probability` is None where the discriminator was not asked. `gradient_rms` is the
    root-mean-square of the activation's gradient over the receptive field. `acceptance` is 1 where
    the step's proposal was accepted and 0 where it was rejected; None for kernels without a test.
    """

    activation: Tensor
    real_probability: Tensor | None
    gradient_rms: Tensor
    acceptance: Tensor | None = None


class Kernel(ABC):
    """A Markov chain's transition; it has no state of its own.

    Attributes
    ----------
    name
        What the setting `kernel` calls it.
    help
        One sentence for the help of that setting.
    mode
        What stands for gradients (see `Parameters.mode`); None for what the setting `mode` says.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    mode: ClassVar[str | None] = None

    def draws(self, state: State) -> tuple[str, ...]:
        """Return the random sources of the next step, by the names in `random.Generators.draw`."""
        return ("noise",)

    @abstractmethod
    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by one step.

        Parameters
        ----------
        state
            The chains; not changed.
        drawn
            A tensor for each source that `draws` names. Random numbers are handed in, so that the
            step is a pure function.
        parameters
            Temperature, step size and terms of each chain.
        density
            What the terms are made of, and the bounds.

        Returns
        -------
        The new chains, and what was seen at the old ones.
        """


def begin(start: Tensor, bounds: tuple[float, float] | None = None) -> State:
    """Begin chains at `start` (chains, C, H, W), inside `bounds` if given."""
    return State(start if bounds is None else start.clamp(*bounds))
