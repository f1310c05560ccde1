"""How a network behaves when it is run, and running it so that each image has its own result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from ldam_studio.networks.behaviour.randomness import alone, seed_of_passes, seeded
from ldam_studio.networks.behaviour.state import Kept, Key
from ldam_studio.networks.behaviour.without import without_dropout

SEEDED, APART, RESET, STEADY = "seeded", "apart", "reset", "steady"
LEAST = "images at least"
RECORDED = (SEEDED, APART, RESET, STEADY, f"2 {LEAST}")
"""What a recipe may record of a network's behaviour; the number of images may be another."""


Run = Callable[[Tensor], Sequence[Tensor]]
"""A forward pass, see `Passes.make`."""


@dataclass(frozen=True)
class Behaviour:
    """What is special about the forward passes of a network; by default nothing is.

    Attributes
    ----------
    draws
        Whether it uses the generators of the process, which are seeded for each pass.
    random
        Whether its results depend on random numbers.
    steady
        Whether its dropout is left out and its other random numbers are the same in every step.
    apart, mixes
        Whether each image has a pass of its own, since the network mixes images or takes only one;
        and whether it mixes them.
    least
        The smallest number of images that it takes. Fewer are filled up with fixed noise.
    remembers
        Whether a result depends on what it was given before.
    resets
        What is set back before and after each pass.
    repeats
        Whether a pass gives the same again after all this.
    """

    draws: bool = False
    random: bool = False
    steady: bool = False
    apart: bool = False
    mixes: bool = False
    least: int = 1
    remembers: bool = False
    resets: frozenset[Key] = frozenset()
    repeats: bool = True

    @property
    def is_plain(self) -> bool:
        """Whether images can simply be given to the network."""
        return self.recorded == ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """What a recipe records of it: how passes are made."""
        parts = {
            SEEDED: self.draws,
            APART: self.apart,
            RESET: bool(self.resets),
            STEADY: self.steady,
            f"{self.least} {LEAST}": self.least > 1,
        }
        return tuple(name for name, holds in parts.items() if holds)

    def as_recorded(self, names: Sequence[str]) -> Self:
        """Return the behaviour with which passes are made as a recipe records."""
        numbers = [name.split()[0] for name in names if name.endswith(LEAST)]
        return replace(
            self,
            draws=SEEDED in names,
            apart=APART in names,
            least=int(numbers[0]) if numbers and numbers[0].isdecimal() else 1,
            resets=self.resets if RESET in names else frozenset(),
            steady=STEADY in names,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about the network."""
        found = []
        if self.steady:
            found.append(
                "It draws random numbers when it is run; its dropout is left out, and other random "
                "numbers are the same in every step."
            )
        elif self.random and self.repeats:
            found.append(
                "It draws random numbers when it is run, also in evaluation mode; each step seeds "
                "them from the session's seed, so that a replay is the same."
            )
        if self.mixes:
            found.append(
                "It mixes the images of a batch, for example by batch statistics; chains run one "
                "at a time, so that they do not act on each other."
            )
        elif self.apart:
            found.append("It takes only one image at a time; chains run one at a time.")
        if self.least > 1:
            beside = "a fixed image" if self.least == 2 else f"{self.least - 1} fixed images"
            found.append(
                f"It takes {self.least} images at least; a single one has {beside} of noise beside "
                "it."
            )
        if self.remembers and self.resets:
            found.append(
                "It keeps state from one image to the next; it is set back before each pass, so "
                "that a replay is the same."
            )
        if not self.repeats:
            found.append(
                "It gives different results for the same image, by random numbers or a state that "
                "cannot be set back from outside; a replay will differ."
            )
        return tuple(found)


PLAIN = Behaviour()
"""That of most networks."""


class Passes:
    """Makes the forward passes of a module as its behaviour asks."""

    def __init__(self, behaviour: Behaviour, module: nn.Module) -> None:
        self.behaviour = behaviour
        self._kept = Kept(module, behaviour.resets) if behaviour.resets else None

    @contextmanager
    def guarded(self, number: int = 0) -> Iterator[None]:
        """Within, the network draws the random numbers of this step and begins as it was opened.

        Passes of a step with different numbers draw different ones.
        """
        ways, kept = self.behaviour, self._kept
        seed = number + (0 if ways.steady else seed_of_passes())
        with ExitStack() as stack:
            if ways.draws:
                stack.enter_context(seeded(seed))
            if kept is not None:
                stack.enter_context(alone())
                kept.restore(seed)
                stack.callback(kept.restore)
            if ways.steady:
                stack.enter_context(without_dropout())
            yield

    def make(
        self,
        run: Run,
        images: Tensor,
        noise: Callable[[Tensor], Tensor],
        *,
        apart: bool = False,
    ) -> list[Tensor]:
        """Return what `run` makes of n images, of which it may be given fewer or more at a time.

        Parameters
        ----------
        run
            Maps images (m, C, H, W) to tensors that have one row for each image, or k m rows: the
            first for all of them, then the second for all of them, and so on.
        apart
            Whether each image is given in a pass of its own in any case.
        noise
            Returns a fixed image of noise for images (m, C, H, W), (1, C, H, W).
        """
        ways = self.behaviour
        apart = (apart or ways.apart) and len(images) > 1
        if not apart and len(images) >= ways.least:
            with self.guarded():
                return list(run(images))
        found = []
        for number, each in enumerate(images.split(1) if apart else [images]):
            count = len(each)
            given = each
            if count < ways.least:
                given = torch.cat([each, noise(each).repeat(ways.least - count, 1, 1, 1)])
            with self.guarded(number):
                found.append([_first(part, count, len(given)) for part in run(given)])
        return [_joined(parts) for parts in zip(*found, strict=True)]


def _first(rows: Tensor, count: int, given: int) -> Tensor:
    """Return the rows for the first `count` of the images that were given."""
    return rows if count == given else rows.unflatten(0, (-1, given))[:, :count].flatten(0, 1)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Join the rows of single images, each (k, ...), in the order of `Passes.make`."""
    return parts[0] if len(parts) == 1 else torch.stack(list(parts), 1).flatten(0, 1)
