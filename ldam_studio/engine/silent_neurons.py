"""Chains whose neuron gives no gradient: how they are led to where it does, and what is said of it.

Behind a rectifier a neuron may be silent at a chain's start, and everywhere near it: its gradient
is 0, nothing drives the chain, and its picture stays noise. Starts of any spread are as silent. So
a chain is led as long as its neuron is silent: the activation is differentiated as if rectifiers
leaked, and the chain climbs the silent unit's input until the unit answers. Values are the
network's own throughout.

All of it follows from the chains' pixels and the step, so replay needs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.objective import ValueAndGradient

LEAK = 0.1
"""Slope that leaking rectifiers have beside their own."""
PATIENCE = 50
"""Silent steps for which a chain is led; a neuron that has not answered then is called dead."""
NAMED = 3  # neurons that a sentence names

_F, _T = nn.functional, torch.Tensor
RECTIFIERS: frozenset[Callable[..., Any]] = frozenset(
    {
        *(_F.relu, _F.relu_, torch.relu, torch.relu_, _T.relu, _T.relu_, _F.relu6),
        *(_F.hardtanh, _F.hardtanh_, _F.hardswish, _F.hardsigmoid, _F.threshold),
        *(torch.clamp, torch.clamp_min, _T.clamp, _T.clamp_, _T.clamp_min, _T.clamp_min_),
    }
)
"""Functions that are flat somewhere, so that no gradient comes through."""


class LeakyRectifiers(TorchFunctionMode):
    """Within it, `RECTIFIERS` return what they always do, but let a part of the gradient leak."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Add nothing in the forward direction, and `LEAK` times the identity backwards."""
        kwargs = kwargs or {}
        if func not in RECTIFIERS:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        # Before the function: it may write over its input.
        leak = LEAK * (x - x.detach())
        return func(*args, **kwargs) + leak


@dataclass(frozen=True)
class Waking:
    """Which chains' neurons answer; all tensors have shape (chains,).

    Attributes
    ----------
    quiet
        Steps since the last one that had a gradient, 0 where the last one had.
    answered
        Whether there was a gradient since the chain began or turned to its neuron.
    led
        Whether the chain was led before it was first answered.
    calm
        Whether every chain has been answered and none is quiet: nothing is to be done then.
    """

    quiet: Tensor
    answered: Tensor
    led: Tensor
    calm: bool

    @property
    def dead(self) -> Tensor:
        """Chains that were never answered, however long they were led."""
        return ~self.answered & (self.quiet >= PATIENCE)


def begin(chains: int, device: torch.device | str, *, answered: bool = False) -> Waking:
    """Return that nothing is known yet, or that all are answered."""
    no = torch.zeros(chains, dtype=torch.bool, device=device)
    return Waking(torch.zeros_like(no, dtype=torch.int64), no | answered, no, calm=answered)


def look(waking: Waking, gradient_rms: Tensor, *, all_answer: bool) -> Waking:
    """Take note of a step's gradients.

    Parameters
    ----------
    gradient_rms
        Their root-mean-squares, (chains,), of the activation itself.
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
    """An activation whose gradient has size 1 for chains that are led, for one step.

    Parameters
    ----------
    activation
        The chains' activation and its gradient as functions of their pixels.
    field_size
        Number of pixel values over which a gradient's root-mean-square is taken.
    exact
        Whether the chains have a law to obey: then none is led once it was answered.

    Attributes
    ----------
    led
        (chains,): those that were; None before the first call, and where none was. Later calls of
        the same step give the true gradient.
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


def sentence(waking: Waking, neurons: Sequence[Neuron]) -> str:
    """Say which neurons were silent at their chains' start, and what came of it; or nothing."""
    if not bool(waking.led.any()):
        return ""
    dead = _names(neurons, waking.dead)
    if dead:
        return (
            f"{_subject(dead, 'gives', 'give')} no gradient, not even after {PATIENCE} steps in "
            "which rectifiers leaked: dead here, so that the picture stays noise; choose another "
            "neuron, or restart from another seed."
        )
    waits = _names(neurons, waking.led & ~waking.answered)
    if waits:
        return (
            f"{_subject(waits, 'gives', 'give')} no gradient at the start; rectifiers leak until "
            "there is one."
        )
    woken = _names(neurons, waking.led)
    return (
        f"{_subject(woken, 'was', 'were')} silent at the start and woken by letting rectifiers "
        "leak."
    )


def dead_neurons(waking: Waking, neurons: Sequence[Neuron]) -> list[str]:
    """Return the addresses of the neurons, each once, all of whose chains are dead."""
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
