"""The interface of kernels: ways to move every chain by one step."""

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
    """The chains: pixels x of shape (chains, C, H, W) in pixel units, and a kernel's memory.

    `memory` has tensors by name, each with the chains along its first axis. It is empty when the
    chains start; the kernel fills it in the first step.
    """

    x: Tensor
    memory: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Info:
    """Measurements at the pixels before a step, each of shape (chains,).

    `real_probability` is None if no discriminator was evaluated. `gradient_rms` is the
    root-mean-square of the activation's gradient over the receptive field. `acceptance` is 1 where
    the step's proposal was accepted and 0 where it was rejected; None for kernels without such a
    test.
    """

    activation: Tensor
    real_probability: Tensor | None
    gradient_rms: Tensor
    acceptance: Tensor | None = None


class Kernel(ABC):
    """The transition of a Markov chain; a kernel object has no state.

    Attributes
    ----------
    name
        Its value of the setting `kernel`.
    help
        One sentence for the help of that setting.
    mode
        How gradients are scaled (see `Parameters.mode`); None to use the setting `mode`.
    steepest
        The largest (eps/2) k with which a wave of curvature k does not grow from step to step, see
        `sampler.stability`.
    rejects
        Whether it rejects proposals, so that its chains sample the density exactly.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    mode: ClassVar[str | None] = None
    steepest: ClassVar[float] = 2.0
    rejects: ClassVar[bool] = False

    def draws(self, state: State) -> tuple[str, ...]:
        """Return the names of the random sources of the next step; see `random.Generators.draw`."""
        return ("noise",)

    def exchanged(
        self, memory: Mapping[str, Tensor], order: Tensor, ratio: Tensor
    ) -> Mapping[str, Tensor]:
        """Return the memory after chains have exchanged their images (see `sampler.tempering`).

        Parameters
        ----------
        order
            The chain whose image each chain gets, (chains,).
        ratio
            Each chain's temperature divided by that of the other chain, (chains, 1, 1, 1).
        """
        return {name: tensor[order] for name, tensor in memory.items()}

    @abstractmethod
    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by one step.

        Parameters
        ----------
        state
            The chains; not modified.
        drawn
            A tensor for each source in `draws`. Random numbers are passed in, so that the step is a
            pure function.
        parameters
            Temperature, step size and terms of each chain.
        density
            The networks behind the terms, and the bounds.

        Returns
        -------
        The new chains, and measurements at the old ones.
        """


def begin(start: Tensor, bounds: tuple[float, float] | None = None) -> State:
    """Start chains at `start` (chains, C, H, W), clamped to `bounds` if given."""
    return State(start if bounds is None else start.clamp(*bounds))
