"""How a network ends: the rectifier, the softmax or the sigmoid after its last weights.

They are found in a forward pass on noise, as calls of torch's functions, so that it does not matter
whether they are modules or functions. Later passes can do without them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Function = Callable[..., Any]

_F, _T = nn.functional, torch.Tensor
_RECTIFIERS: frozenset[Function] = frozenset(
    {
        *(_F.relu, _F.relu_, torch.relu, torch.relu_, _T.relu, _T.relu_, _F.relu6, _F.threshold),
        *(torch.clamp, torch.clamp_min, _T.clamp, _T.clamp_, _T.clamp_min, _T.clamp_min_),
    }
)
_SQUASHING: dict[Function, str] = {
    **dict.fromkeys((_F.softmax, torch.softmax, _T.softmax), "softmax"),
    **dict.fromkeys((_F.log_softmax, torch.log_softmax, _T.log_softmax), "log_softmax"),
    **dict.fromkeys((_F.sigmoid, torch.sigmoid, torch.sigmoid_, _T.sigmoid), "sigmoid"),
    **dict.fromkeys((_T.sigmoid_,), "sigmoid"),
    **dict.fromkeys((_F.logsigmoid,), "logsigmoid"),
}
_SQUASHED: dict[str, Callable[[Tensor, int], Tensor]] = {
    "softmax": lambda x, axis: x.softmax(axis),
    "log_softmax": lambda x, axis: x.log_softmax(axis),
    "sigmoid": lambda x, _axis: x.sigmoid(),
    "logsigmoid": lambda x, _axis: _F.logsigmoid(x),
}
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Ending:
    """The operations after a network's last weights that change what its outputs mean.

    Calls are numbered from 1 among the calls of such functions in one forward pass.

    Attributes
    ----------
    rectifier
        The number of the last rectifier; None if there is none, or if the outputs without it could
        not be confirmed.
    doubles
        Whether a pass can compute the outputs with and without the rectifier at once.
    squashing
        The number of a softmax or sigmoid, or the logarithm of one, that makes the outputs.
    sigmoid
        Whether it is a sigmoid.
    """

    rectifier: int | None = None
    doubles: bool = False
    squashing: int | None = None
    sigmoid: bool = False

    def opened(self, *, rectified: bool) -> Opened:
        """Return a mode without the softmax or sigmoid, and without the rectifier if not wanted."""
        skipped = {self.squashing, None if rectified else self.rectifier}
        return Opened(frozenset(number for number in skipped if number is not None))

    def opened_both(self) -> Opened:
        """Return a mode in which n images give 2 n outputs: with the rectifier, then without it."""
        return Opened(self.opened(rectified=True).skipped, self.rectifier)


class Opened(TorchFunctionMode):
    """For one forward pass, some calls return their input instead of their result.

    Parameters
    ----------
    skipped
        Numbers of the calls.
    doubled
        The number of a call that returns its results and, further along the first dimension, its
        inputs; the operations after it treat them as further images.
    """

    def __init__(self, skipped: frozenset[int], doubled: int | None = None) -> None:
        super().__init__()
        self.skipped, self._doubled = skipped, doubled
        self._numbers = itertools.count(1)

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, or pass its input on."""
        kwargs = kwargs or {}
        number = next(self._numbers) if _counts(func, args, kwargs) else 0
        if number not in self.skipped and number != self._doubled:
            return func(*args, **kwargs)
        kwargs = dict(kwargs)
        x = args[0] if args else kwargs.pop("input")
        if number in self.skipped:
            return x
        return torch.cat([func(x.clone(), *args[1:], **kwargs), x])


class _Watch(TorchFunctionMode):
    """Notes the last calls of a forward pass after which no weights are used."""

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self._weights = {id(tensor) for tensor in weights}
        self._numbers = itertools.count(1)
        self.rectifier: int | None = None
        self.squashing: tuple[int, str] | None = None

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operation and note it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        given = _tensors((*args, *kwargs.values()))
        if isinstance(out, Tensor) and any(id(tensor) in self._weights for tensor in given):
            self.rectifier = self.squashing = None
        if _counts(func, args, kwargs):
            number = next(self._numbers)
            if func in _SQUASHING:
                self.squashing = number, _SQUASHING[func]
            else:
                self.rectifier = number
        return out


def find_ending(run: Callable[[], Tensor], weights: Iterable[Tensor], axis: int) -> Ending:
    """Return how a network ends.

    Parameters
    ----------
    run
        Computes the outputs (1, ...) of one noise image, always of the same.
    weights
        The network's parameters and buffers.
    axis
        The dimension of the outputs that counts the neurons.

    A call is left out only where the outputs confirm what it does: a softmax or sigmoid of the
    outputs without it gives the outputs, and a rectifier makes no output smaller.
    """
    try:
        with torch.no_grad():
            return _find(run, _Watch(weights), axis)
    except Exception:
        # The user's own module may do anything; then its outputs are taken as they are.
        return Ending()


def _find(run: Callable[[], Tensor], watch: _Watch, axis: int) -> Ending:
    with watch:
        plain = run()
    ending = Ending()
    if watch.squashing is not None:
        number, kind = watch.squashing
        found = Ending(squashing=number, sigmoid=kind in ("sigmoid", "logsigmoid"))
        with found.opened(rectified=True):
            logits = run()
        if _close(_SQUASHED[kind](logits, axis), plain):
            ending, plain = found, logits
    if watch.rectifier is None:
        return ending
    found = Ending(watch.rectifier, True, ending.squashing, ending.sigmoid)
    try:
        with found.opened(rectified=False):
            before = run()
    except Exception:
        return ending
    if before.shape != plain.shape or not bool((before <= plain + TOLERANCE).all()):
        return ending
    doubles = _doubles(run, found, torch.cat([plain, before]))
    return Ending(watch.rectifier, doubles, ending.squashing, ending.sigmoid)


def _doubles(run: Callable[[], Tensor], ending: Ending, expected: Tensor) -> bool:
    try:
        with ending.opened_both():
            return _close(run(), expected)
    except Exception:
        return False


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, TOLERANCE, TOLERANCE)


def _counts(func: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call is a softmax, a sigmoid, or a rectifier that cuts off at 0."""
    if func in _SQUASHING:
        return True
    if func not in _RECTIFIERS:
        return False
    if "clamp" not in func.__name__:
        return True
    bounds = [*args[1:], *kwargs.values()]
    return len(bounds) == 1 and isinstance(bounds[0], int | float) and bounds[0] == 0


def _tensors(things: Iterable[Any]) -> Iterator[Tensor]:
    for thing in things:
        if isinstance(thing, Tensor):
            yield thing
        elif isinstance(thing, list | tuple):
            yield from _tensors(thing)
