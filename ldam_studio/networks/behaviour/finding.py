"""Finding out, when a network is opened, how it behaves and how it can be prepared.

Everything is found by values: passes of noise images, alone and beside others, once and again. Most
networks are plain, which a few passes show; only for the others the reason is searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.anatomy.batches import Shapes, noting_shapes
from ldam_studio.networks.anatomy.folding import Norms, noting_norms
from ldam_studio.networks.behaviour.behaviour import PLAIN, Behaviour
from ldam_studio.networks.behaviour.images import Images
from ldam_studio.networks.behaviour.randomness import same, seeded, states
from ldam_studio.networks.behaviour.state import Kept
from ldam_studio.networks.behaviour.trial import (
    LEAST_COSINE,
    ROUNDING,
    Seen,
    cosine,
    departure,
    same_gradient,
    see,
)
from ldam_studio.networks.prepare import Untouched, freeze, prepare

MOST_ROUNDING = 1e-2
"""A difference above this is never taken for rounding."""

SLIGHT = 1e-6
"""By how much an image is disturbed, relatively, to see how far rounding goes in a network."""

TENSORS = (" buffers", " parameters")
"""Ends of the paths of tensors that belong to a module's weights."""

LARGER = (3, 4, 8, 16)
"""Numbers of images that are tried with networks that take neither one nor two."""

SEEDS = (0, 1, 2, 3)
"""Seeds with which is seen whether images are mixed at random."""

FORMATS = (torch.channels_last, torch.contiguous_format)


@dataclass(frozen=True)
class Found:
    """How a network behaves, and the type of the images that it takes.

    Of a plain network, two of the passes need not be made again: `shapes` are those of its outputs
    for two images, and `norms` what the noise alone has shown of its batch norms.
    """

    behaviour: Behaviour = PLAIN
    dtype: torch.dtype = torch.float32
    shapes: Shapes | None = None
    norms: Norms | None = None


def prepare_and_find(module: nn.Module, images: Images) -> Found:
    """Prepare a module for the sampler as far as that changes nothing, in place.

    It is frozen and in evaluation mode afterwards. Its weights keep their memory format if it gives
    other values or gradients, or fails, with that of `prepare`.
    """
    freeze(module)
    untouched, kept = Untouched(module), Kept(module)
    try:
        plain = _plain(module, images, kept)
        if plain is not None:
            return plain
        untouched.restore()
        kept.restore()
        return _Search(module, images, untouched, kept).found()
    except Exception as error:
        if is_lack_of_memory(error):
            # A single image may still fit.
            prepare(module)
            return Found()
        raise
    finally:
        kept.restore()


def _plain(module: nn.Module, images: Images, kept: Kept) -> Found | None:
    """Prepare a module; return None unless it gives each image what it gave it before."""
    with seeded(0):
        before = states()
        try:
            with noting_shapes(module) as shapes:
                former = see(module, images.batch(2), gradient=True)
            prepare(module)
            beside = see(module, images.batch(3), gradient=True)
            if not _alike(former, beside, 0) or not _alike_in_gradient(former, beside):
                return None
            loud = see(module, images.loud)
            with noting_norms(module) as norms:
                alone = see(module, images.noise)
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            return None
        drew = not same(before, states())
    plain = _alike(alone, former, 0) and _alike(loud, beside, 1)
    lost = alone.counts_images and not beside.counts_images
    if not plain or lost or drew or not _keeps_nothing(module, images, kept, loud, alone):
        return None
    return Found(shapes=shapes, norms=norms)


def _keeps_nothing(module: nn.Module, images: Images, kept: Kept, loud: Seen, alone: Seen) -> bool:
    """Return whether what a module has kept of earlier passes makes no difference.

    It may keep, for example, tables that it makes when they are needed.
    """
    changed = kept.changed()
    if any(key in kept.generators or key[0].endswith(TENSORS) for key in changed):
        return False
    if not changed:
        return True
    kept.restore()
    fresh = see(module, images.loud)
    see(module, -images.loud)
    return _alike(fresh, loud, 0) and _alike(see(module, images.noise), alone, 0)


def _alike(one: Seen, other: Seen, number: int, floor: float = ROUNDING) -> bool:
    return departure(one.of_image(0), other.of_image(number)) <= floor


def _alike_in_gradient(one: Seen, other: Seen, least: float = LEAST_COSINE) -> bool:
    """Compare the first image's gradient, which must not reach the others."""
    if one.gradient is None or other.gradient is None:
        return one.gradient is other.gradient
    first, *others = other.gradient
    return same_gradient(one.gradient[0], first, least) and not _reaches(others)


def _reaches(gradients: Iterable[Tensor]) -> bool:
    """Return whether a gradient is not zero; NaN is what 0 times infinity gives."""
    return any(bool(gradient.nan_to_num(0).any()) for gradient in gradients)


class _Search:
    """Searches for what is special about a module. Each pass begins with the state of opening."""

    def __init__(self, module: nn.Module, images: Images, untouched: Untouched, kept: Kept) -> None:
        self._module, self._images = module, images
        self._untouched, self._kept = untouched, kept
        self._drew = False

    def found(self) -> Found:
        """Return what was found, with the module prepared."""
        with seeded(0):
            working = self._working()
        # From now on only what a pass can change is compared and set back.
        changed = self._kept.changed()
        self._kept.restore()
        self._kept = self._kept.only(changed | self._kept.generators)
        if working is None:
            # Listing its layers says in a sentence what is wrong.
            prepare(self._module)
            return Found()
        dtype, least, together = working
        self._images = images = self._images.to(dtype)
        self._base = images.batch(least)
        first = self._pass(self._base, gradient=True)
        repeats = self._same(first, self._pass(self._base))
        random = repeats and not self._same(first, self._pass(self._base, seed=1))
        if together and self._drew:
            pairs = [self._pass(images.batch(2), seed=seed) for seed in SEEDS]
            random = random or (repeats and not all(self._same(pairs[0], one) for one in pairs))
        self._pass(images.loud.repeat(least, 1, 1, 1))
        repeats = repeats and self._same(first, self._pass(self._base))
        remembers, resets = self._memory(first, least)
        floor, least_cosine = self._rounding(first)
        mixes = together and self._mixes(least, floor, alike=not random and repeats)
        behaviour = Behaviour(
            draws=self._drew,
            random=random,
            apart=mixes or not together,
            mixes=mixes,
            least=least,
            remembers=remembers and repeats,
            resets=resets,
            repeats=repeats,
        )
        self._prepare(first, floor, least_cosine, together=not behaviour.apart)
        return Found(behaviour, dtype)

    # Passes

    @contextmanager
    def _begun(self, seed: int) -> Iterator[None]:
        with seeded(seed):
            self._kept.restore(seed)
            before = states()
            try:
                yield
            finally:
                self._drew = self._drew or not same(before, states())
                self._kept.restore()

    def _pass(self, images: Tensor, seed: int = 0, *, gradient: bool = False) -> Seen:
        with self._begun(seed):
            return see(self._module, images, gradient=gradient)

    def _same(self, one: Seen, other: Seen) -> bool:
        return all(_alike_at(one, other, number, SLIGHT) for number in range(one.count))

    def _works(self, images: Tensor) -> Seen | None:
        try:
            return see(self._module, images)
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            return None

    def _working(self) -> tuple[torch.dtype, int, bool] | None:
        """Return the type of images, the least batch that works, and whether larger ones do."""
        tensors = chain(self._module.parameters(), self._module.buffers())
        kinds = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
        for dtype in dict.fromkeys([torch.float32, *kinds]):
            images = self._images.to(dtype)
            few = {count: self._works(images.batch(count)) for count in (1, 2, 3)}
            one, two, three = few[1], few[2], few[3]
            if one is not None:
                larger = [seen for seen in (two, three) if seen is not None]
                # For several images it gives something else than one result for each.
                lost = one.counts_images and not all(seen.counts_images for seen in larger)
                return dtype, 1, len(larger) == 2 and not lost
            if two is not None:
                return dtype, 2, three is not None
            for count in LARGER:
                if self._works(images.batch(count)) is not None:
                    return dtype, count, False
        return None

    # What is special

    def _memory(self, first: Seen, least: int) -> tuple[bool, frozenset[tuple[str, str]]]:
        """Return whether a result depends on earlier images, and what is to be set back."""
        kept, images = self._kept, self._images
        loud, dark, rest = (
            image.repeat(least, 1, 1, 1) for image in (images.loud, -images.loud, images.rest)
        )
        fresh = self._pass(loud)
        kept.restore(0)
        # What counts its calls may be the same in every second one.
        given = self._base, loud, dark, rest, self._base, self._base
        seen = []
        for image in given:
            with seeded(0):
                kept.seed_generators(0)
                seen.append(see(self._module, image))
        changed, generators = kept.changed(), kept.generators
        kept.restore()
        pairs = (first, seen[0]), (first, seen[4]), (first, seen[5]), (fresh, seen[1])
        remembers = not all(self._same(*pair) for pair in pairs)
        if remembers or changed & generators:
            return remembers and bool(changed - generators or not changed), changed
        return False, frozenset(key for key in changed if key[0].endswith(TENSORS))

    def _rounding(self, first: Seen) -> tuple[float, float]:
        """Return how far values and gradients go apart by rounding alone."""
        noise = torch.randn(self._base.shape, generator=torch.Generator().manual_seed(1))
        slightly = self._base * (1 + SLIGHT * noise.to(self._base))
        other = self._pass(slightly, gradient=True)
        away = 20 * departure(first.of_image(0), other.of_image(0))
        least = LEAST_COSINE
        if first.gradient is not None and other.gradient is not None:
            least = min(least, cosine(first.gradient[0], other.gradient[0]))
        weights = [weight.dtype for weight in self._module.parameters()]
        types = [dtype for dtype in (*weights, self._base.dtype) if dtype.is_floating_point]
        coarsest = max(torch.finfo(dtype).eps for dtype in types)
        return max(ROUNDING, min(away, MOST_ROUNDING), 4 * coarsest), least

    def _mixes(self, least: int, floor: float, *, alike: bool) -> bool:
        """Return whether an image's values or gradients depend on the images beside it.

        If random numbers depend on the size of the batch, only batches of one size are `alike`.
        """
        noise, loud, rest = self._images.noise, self._images.loud, self._images.rest
        for seed in SEEDS if self._drew else SEEDS[:1]:
            first = self._pass(torch.cat([noise, loud, rest]), seed, gradient=True)
            second = self._pass(torch.cat([noise, rest, rest]), seed)
            behind, before = (self._pass(torch.cat([o, noise]), seed) for o in (loud, rest))
            if departure(first.of_image(0), second.of_image(0)) > floor:
                return True
            if departure(behind.of_image(1), before.of_image(1)) > floor:
                return True
            if first.gradient is not None and _reaches(first.gradient[1:]):
                return True
        if least > 1 or not alike:
            return False
        pairs = (noise, first, 0), (loud, first, 1), (rest, before, 0), (noise, behind, 1)
        return any(not _alike(self._pass(one), three, at, floor) for one, three, at in pairs)

    # Preparing

    def _prepare(self, first: Seen, floor: float, least: float, *, together: bool) -> None:
        """Prepare the module in the first way that changes nothing; else leave it as it is."""
        # Where several images are given, torch's own gradient is right more often: for a single
        # contiguous one, that of LeViT is not what differences say.
        several = self._images.batch(3)
        if together:
            first = self._pass(several, gradient=True)
        for memory_format in FORMATS:
            prepare(self._module, memory_format)
            try:
                found = self._pass(several if together else self._base, gradient=True)
                if together:
                    self._pass(self._base)  # `view` may suit only one of them
            except Exception:
                # Code that flattens with `view` takes only contiguous outputs of its convolutions.
                found = None
            if found is not None and all(
                _alike_at(first, found, number, floor) for number in range(first.count)
            ):
                if _same_first_gradient(first, found, least):
                    return
            self._untouched.restore()


def _alike_at(one: Seen, other: Seen, number: int, floor: float) -> bool:
    return departure(one.of_image(number), other.of_image(number)) <= floor


def _same_first_gradient(one: Seen, other: Seen, least: float) -> bool:
    if one.gradient is None or other.gradient is None:
        return one.gradient is other.gradient
    return same_gradient(one.gradient[0], other.gradient[0], least)
