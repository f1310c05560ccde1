"""Chains of known targets: what a verdict on them must not say is known.

Each target draws values (samples, chains, quantities) as a recorder would: the activation first,
then 16 projections, correlated over time as slowly as the target says.
"""

from dataclasses import dataclass, field

import numpy as np

from ldam_studio.explore.agreement.verdict import Chains, Kind

QUANTITIES = 17


def chains_of(values, *, starts=None, burned_in=True, dead=False, unsteady=""):
    """Return chains with these values, which are otherwise as they should be."""
    count = values.shape[1]
    return Chains(
        values=np.asarray(values, np.float64),
        starts=np.arange(count) if starts is None else np.asarray(starts),
        burned_in=np.full(count, burned_in),
        dead=np.full(count, dead),
        numbers=tuple(range(1, count + 1)),
        unsteady=unsteady,
    )


def walk(rng, samples, chains, memory=0.0, quantities=QUANTITIES):
    """Autoregressive chains of variance 1, begun in their law: x' = memory x + noise."""
    noise = rng.standard_normal((samples, chains, quantities))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for t in range(1, samples):
        values[t] = memory * values[t - 1] + np.sqrt(1 - memory**2) * noise[t]
    return values


def iid(rng, samples):
    return chains_of(walk(rng, samples, 4))


def many(rng, samples):
    return chains_of(walk(rng, samples, 50))


def correlated(rng, samples):
    return chains_of(walk(rng, samples, 4, 0.9))


def slow(rng, samples):
    return chains_of(walk(rng, samples, 4, 0.99))


def varied(rng, samples):
    """One chain that forgets slowly among others that forget at once."""
    return chains_of(np.concatenate([walk(rng, samples, 7), walk(rng, samples, 1, 0.99)], axis=1))


def heavy(rng, samples):
    return chains_of(rng.standard_cauchy((samples, 4, QUANTITIES)))


def mixing(rng, samples):
    """Two modes that every chain visits: it changes once in ten samples."""
    values = walk(rng, samples, 4, 0.5)
    flips = rng.random((samples, 4)) < 0.1
    values[:, :, 1:] += np.where(np.cumsum(flips, axis=0) % 2, 3.0, 0.0)[:, :, None]
    return chains_of(values)


def two_modes(rng, samples):
    """Two chains stuck in each of two modes, which the activation tells apart, too."""
    values = walk(rng, samples, 4, 0.5)
    values[:, :2] += 4
    return chains_of(values)


def equal_activation(rng, samples):
    """The same, with equal activations; modes are half a standard deviation apart."""
    values = walk(rng, samples, 4, 0.5)
    values[:, :2, 1:] += 0.5 * rng.choice([-1, 1], QUANTITIES - 1)
    return chains_of(values)


def one_projection(rng, samples):
    """Chains that only one projection tells apart."""
    values = walk(rng, samples, 4, 0.5)
    values[:, 0, 9] += 1
    return chains_of(values)


def scales(rng, samples):
    """Chains of equal means, one of them in a wider mode."""
    values = walk(rng, samples, 4, 0.5)
    values[:, 0] *= 2
    return chains_of(values)


def one_start(rng, samples):
    """All chains began at one image and stay in its mode: their record looks perfect."""
    return chains_of(walk(rng, samples, 8), starts=[0] * 8)


def two_starts(rng, samples):
    """Four chains from each of two images stay in the mode of their image."""
    values = walk(rng, samples, 8, 0.5)
    values[:, :4, 1:] += 1
    return chains_of(values, starts=[0] * 4 + [1] * 4)


def drifting(rng, samples):
    """Chains that move by two standard deviations in all, each its own way."""
    ways = 2 * rng.choice([-1, 1], (4, QUANTITIES))
    values = walk(rng, samples, 4, 0.5)
    return chains_of(values + np.linspace(0, 1, samples)[:, None, None] * ways)


def drifting_together(rng, samples):
    """Chains that all move by two standard deviations in the same way."""
    values = walk(rng, samples, 4, 0.5)
    return chains_of(values + 2 * np.linspace(0, 1, samples)[:, None, None])


def wandering(rng, samples):
    """Random walks without a law that they could agree on."""
    return chains_of(np.cumsum(rng.standard_normal((samples, 4, QUANTITIES)), axis=0))


def frozen(rng, samples):
    return chains_of(np.repeat(rng.standard_normal((1, 4, QUANTITIES)), samples, axis=0))


def frozen_alike(rng, samples):
    return chains_of(np.ones((samples, 4, QUANTITIES)))


def one_held(rng, samples):
    """Three chains that move, and one that is held in the middle of what they visit."""
    values = walk(rng, samples, 4)
    values[:, 3] = 0
    return chains_of(values)


def rejected(rng, samples):
    """A Metropolis test accepts two proposals in a hundred."""
    proposals, values = walk(rng, samples, 4), np.empty((samples, 4, QUANTITIES))
    accepted = rng.random((samples, 4)) < 0.02
    current = proposals[0].copy()
    for t in range(samples):
        current[accepted[t]] = proposals[t][accepted[t]]
        values[t] = current
    return chains_of(values)


def one_of_many(rng, samples):
    """One chain of a hundred is stuck in another mode, one standard deviation away."""
    values = walk(rng, samples, 100)
    values[:, 37, 1:] += 1
    return chains_of(values)


def one_chain(rng, samples):
    return chains_of(walk(rng, samples, 1))


def short(rng, samples):
    return chains_of(walk(rng, 60, 4))


def silent(rng, samples):
    values = walk(rng, samples, 4)
    values[:, :, 0] = 0
    return chains_of(values)


def still_burning(rng, samples):
    return chains_of(walk(rng, samples, 4), burned_in=False)


@dataclass(frozen=True)
class Target:
    """A target, and whether its chains agree; `said` are the verdicts that are right at the end."""

    draw: object
    agrees: bool
    said: tuple[Kind, ...] = field(default=())

    @property
    def name(self):
        return self.draw.__name__.replace("_", " ")


TARGETS = (
    Target(iid, True, (Kind.AGREE,)),
    Target(many, True, (Kind.AGREE,)),
    Target(correlated, True, (Kind.AGREE, Kind.NOT_YET)),
    Target(slow, True, (Kind.NOT_YET,)),
    Target(varied, True, (Kind.NOT_YET,)),
    Target(heavy, True, (Kind.AGREE,)),
    Target(mixing, True, (Kind.AGREE, Kind.NOT_YET)),
    Target(two_modes, False, (Kind.DISAGREE,)),
    Target(equal_activation, False, (Kind.DISAGREE,)),
    Target(one_projection, False, (Kind.DISAGREE,)),
    Target(scales, False, (Kind.DISAGREE,)),
    Target(one_start, False, (Kind.ONE_START,)),
    Target(two_starts, False, (Kind.DISAGREE,)),
    Target(drifting, False, (Kind.DISAGREE, Kind.NOT_YET)),
    Target(drifting_together, False, (Kind.NOT_YET,)),
    Target(wandering, False, (Kind.DISAGREE, Kind.NOT_YET)),
    Target(frozen, False, (Kind.STUCK,)),
    Target(frozen_alike, False, (Kind.STUCK,)),
    Target(one_held, False, (Kind.STUCK,)),
    Target(rejected, False, (Kind.STUCK, Kind.NOT_YET, Kind.DISAGREE)),
    Target(one_of_many, False, (Kind.DISAGREE,)),
    Target(one_chain, False, (Kind.ONE_CHAIN,)),
    Target(short, False, (Kind.TOO_EARLY,)),
    Target(silent, False, (Kind.SILENT,)),
    Target(still_burning, False, (Kind.TOO_EARLY,)),
)
