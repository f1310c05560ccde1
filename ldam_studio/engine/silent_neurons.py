"""Guiding chains whose neurons give no gradient, and sentences about such neurons.

Behind a rectifier a neuron may be silent at a chain's start and everywhere near it: its gradient is
0, nothing drives the chain, and its picture stays noise. Starts with more or less spread are just
as silent. A chain is therefore guided while its neuron is silent: the gradient is computed as if
rectifiers leaked, so that the chain climbs the silent unit's input until the unit responds.
Activations are always those of the unchanged network.

All of this depends only on the chains' pixels and the step, so replay needs no further information.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.leaky import LeakyRectifiers
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.objective import ValueAndGradient

PATIENCE = 50
"""Number of silent steps for which a chain is guided; a neuron that is still silent is called
dead."""
SOON = 10
"""Number of silent steps after which a neuron does not respond soon."""
NAMED = 3  # largest number of neurons that a sentence names


@dataclass(frozen=True)
class Waking:
    """Which chains' neurons respond; all tensors have shape (chains,).

    Attributes
    ----------
    quiet
        Number of steps since the last one with a gradient; 0 if that was the last step.
    answered
        Whether there was a gradient since the chain started or turned to its neuron.
    led
        Whether the chain was guided before its neuron first responded.
    calm
        Whether every neuron has responded and none is silent now, so that nothing is to be done.
    """

    quiet: Tensor
    answered: Tensor
    led: Tensor
    calm: bool

    @property
    def dead(self) -> Tensor:
        """Chains whose neurons never responded, although they were guided for `PATIENCE` steps."""
        return ~self.answered & (self.quiet >= PATIENCE)


def begin(chains: int, device: torch.device | str, *, answered: bool = False) -> Waking:
    """Return the state at a chain's start, or one in which all neurons have `answered`."""
    no = torch.zeros(chains, dtype=torch.bool, device=device)
    return Waking(torch.zeros_like(no, dtype=torch.int64), no | answered, no, calm=answered)


def look(waking: Waking, gradient_rms: Tensor, *, all_answer: bool) -> Waking:
    """Update the state with a step's gradients.

    Parameters
    ----------
    gradient_rms
        Root-mean-square of each chain's gradient of the activation itself, (chains,).
    all_answer
        Whether none of them is 0.
    """
    if all_answer:
        if waking.calm:
            return waking
        yes = torch.ones_like(waking.answered)
        return Waking(torch.zeros_like(waking.quiet), yes, waking.led, calm=True)
    answers = gradient_rms > 0
    quiet = torch.where(answers, 0, waking.quiet + 1)
    answered = waking.answered | answers
    return Waking(quiet, answered, waking.led | ~answered, calm=False)


class Leading:
    """An activation whose gradient has a root-mean-square of 1 for guided chains, for one step.

    Parameters
    ----------
    waking
        Which chains' neurons have responded so far.
    activation
        The chains' activation and its gradient as functions of their pixels.
    field_size
        Number of pixel values over which a gradient's root-mean-square is taken.
    exact
        Whether the chains sample an exact distribution: then no chain is guided once its neuron has
        responded.

    Attributes
    ----------
    led
        The chains that were guided, (chains,); None before the first call, or if there were none.
        Later calls in the same step return the true gradient.
    """

    def __init__(
        self,
        waking: Waking,
        activation: ValueAndGradient,
        field_size: int | Tensor,
        *,
        exact: bool,
    ) -> None:
        self._follow = (waking.quiet > 0) & (waking.quiet < PATIENCE)
        if exact:
            self._follow &= ~waking.answered
        self._activation, self._field_size = activation, field_size
        self.led: Tensor | None = None
        self._called = False

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (chains,) activations and their gradients, shaped like x (chains, C, H, W)."""
        value, gradient = self._activation(x)
        if self._called:
            return value, gradient
        self._called = True
        silent = self._follow & ~gradient.flatten(1).any(dim=1)
        if not bool(silent.any()):
            return value, gradient
        with LeakyRectifiers():
            _, leaked = self._activation(x)
        rms = torch.linalg.vector_norm(leaked, dim=(1, 2, 3)) / self._field_size**0.5
        unit = leaked / rms.clamp_min(torch.finfo(rms.dtype).tiny).reshape(-1, 1, 1, 1)
        self.led = silent
        return value, torch.where(silent.reshape(-1, 1, 1, 1), unit, gradient)


def warning(waking: Waking, neurons: Sequence[Neuron]) -> str:
    """Return a sentence about neurons that stay silent; empty if there are none.

    Most silent neurons respond after a few steps, which is not worth a message.
    """
    staying = ~waking.answered & (waking.quiet >= SOON)
    return sentence(waking, neurons) if bool(staying.any()) else ""


def sentence(waking: Waking, neurons: Sequence[Neuron]) -> str:
    """Return a sentence about neurons that were silent at the start; empty if none was."""
    if not bool(waking.led.any()):
        return ""
    dead = _names(neurons, waking.dead)
    if dead:
        return (
            f"{_subject(dead, 'gives', 'give')} no gradient, not even after {PATIENCE} steps with "
            "leaky rectifiers, so the picture stays noise; choose another neuron, or restart from "
            "another seed."
        )
    waits = _names(neurons, waking.led & ~waking.answered)
    if waits:
        return (
            f"{_subject(waits, 'gives', 'give')} no gradient at the start; rectifiers count as "
            "leaky until there is one."
        )
    woken = _names(neurons, waking.led)
    return (
        f"{_subject(woken, 'was', 'were')} silent at the start and now respond"
        f"{'s' if len(woken) == 1 else ''}, thanks to leaky rectifiers."
    )


def dead_neurons(waking: Waking, neurons: Sequence[Neuron]) -> list[str]:
    """Return the addresses of neurons for which all chains are dead, each address once."""
    alive = {str(n) for n, dead in zip(neurons, waking.dead.tolist(), strict=True) if not dead}
    return [name for name in dict.fromkeys(map(str, neurons)) if name not in alive]


def _names(neurons: Sequence[Neuron], which: Tensor) -> list[str]:
    chosen = (str(n) for n, yes in zip(neurons, which.tolist(), strict=True) if yes)
    return list(dict.fromkeys(chosen))


def _subject(names: list[str], one: str, many: str) -> str:
    shown = names if len(names) <= NAMED else names[: NAMED - 1]
    others = len(names) - len(shown)
    words = ", ".join(shown) + (f" and {others} others" if others else "")
    return f"{words} {one if len(names) == 1 else many}"
