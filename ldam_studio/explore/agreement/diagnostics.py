r"""The numbers behind a verdict: R-hat, effective sample sizes, and a test that chains differ.

Rank-normalised split R-hat, and effective sample sizes of bulk and tails: Vehtari, Gelman, Simpson,
Carpenter and Bürkner, "Rank-normalization, folding, and localization: an improved R-hat" (2021).
Nested R-hat: Margossian et al., "Nested R-hat: assessing the convergence of Markov chain Monte
Carlo when running many short chains" (2024).

R-hat is large both for chains that are stuck and for chains that were watched for too short a time.
The test tells these apart. Each chain is cut into `BATCHES` batches, and the chains' means are
compared with the scatter of the batches' means within the chains (one-way analysis of variance, of
normal scores); if batches are like those before them, the means count as less certain. Chains may
scatter differently, as those do that forget more slowly than others: each counts for as much as is
known of its mean. Each chain alone is compared with all others, too, since one chain of a hundred
hardly moves R-hat.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BATCHES = 8
LEAST_SAMPLES = 8 * BATCHES  # fewer are not diagnosed
TAIL = (0.05, 0.95)
USUAL = 2.5
"""Chains that scatter more than so many times as much as most are not like the others in this."""


@dataclass(frozen=True)
class Diagnostics:
    """The numbers of some chains of one neuron.

    All arrays have shape (quantities,): the first quantity is the activation, the others are
    projections of the images. Numbers are NaN where they are not defined.

    Attributes
    ----------
    samples, chains
        Number of samples of each chain, and of chains.
    r_hat, r_hat_nested
        See the module; `r_hat_nested` is None unless several chains share each start.
    bulk, tail
        Effective samples of all chains together.
    apart
        Probability that chains which agree differ as much, in any quantity (Bonferroni).
    odd
        The chain that is farthest from all others, where it alone tells that chains differ.
    """

    samples: int
    chains: int
    r_hat: Array
    r_hat_nested: Array | None
    bulk: Array
    tail: Array
    apart: float
    odd: int | None

    @property
    def worst_r_hat(self) -> float:
        """The largest R-hat, of nested R-hat too; NaN if any is not defined."""
        nested = () if self.r_hat_nested is None else (self.r_hat_nested,)
        return float(np.max(np.concatenate([self.r_hat, *nested])))

    @property
    def worst(self) -> int:
        """The quantity with the largest R-hat; 0 is the activation."""
        return int(np.argmax(np.nan_to_num(self.r_hat, nan=np.inf)))

    @property
    def effective(self) -> float:
        """The least effective sample size, bulk or tail; NaN if any is undefined."""
        return float(np.min(np.concatenate([self.bulk, self.tail])))


def diagnose(values: Array, starts: NDArray[np.int64] | None = None) -> Diagnostics:
    """Return the diagnostics of values (samples, chains, quantities).

    Parameters
    ----------
    starts
        Equal numbers for chains that began at the same image, (chains,). If there are at least two
        starts with several chains each, nested R-hat is computed, too; of each start it takes as
        many chains as the one with the fewest has.
    """
    array_stats: Any = import_module("arviz_stats.base").array_stats
    samples, chains, quantities = values.shape
    ordered = np.moveaxis(values, 1, 0)  # (chains, samples, quantities)
    undefined = np.full(quantities, np.nan)
    sound = np.isfinite(ordered).all(axis=(0, 1)) & (np.ptp(ordered, axis=(0, 1)) > 0)
    r_hat, bulk, tail = undefined.copy(), undefined.copy(), undefined.copy()
    nested = _superchains(starts)
    r_hat_nested = None if nested is None else undefined.copy()
    apart, odd = 1.0, None
    if samples >= LEAST_SAMPLES and sound.any():
        axes = {"chain_axis": 0, "draw_axis": 1}
        known = ordered[:, :, sound]
        r_hat[sound] = array_stats.rhat(known, **axes)
        bulk[sound] = array_stats.ess(known, method="bulk", **axes)
        tail[sound] = array_stats.ess(known, method="tail", prob=TAIL, **axes)
        if nested is not None and r_hat_nested is not None:
            taken, numbers = nested
            r_hat_nested[sound] = array_stats.rhat_nested(
                known[taken], superchain_ids=numbers, **axes
            )
        if chains > 1:
            apart, odd = differ(known)
    return Diagnostics(samples, chains, r_hat, r_hat_nested, bulk, tail, apart, odd)


def differ(values: Array) -> tuple[float, int | None]:
    """Test whether chains differ, given values (chains, samples, quantities).

    Returns
    -------
    The probability that chains which agree differ as much, and the chain that is farthest from the
    others if it alone is less probable than all of them together, else None.
    """
    from scipy.special import fdtrc, stdtrit

    chains, samples, quantities = values.shape
    length = samples // BATCHES
    values = values[:, samples - BATCHES * length :]
    means = []
    for folded in (False, True):
        part = np.abs(values - np.median(values, axis=(0, 1))) if folded else values
        scores = _normal_scores(part)
        means.append(scores.reshape(chains, BATCHES, length, quantities).mean(2))
    batches = np.concatenate(means, axis=2)
    tests = batches.shape[2]
    centres = batches.mean(1)
    rest = batches - centres[:, None]
    scatter = np.maximum((rest**2).sum(1) / (BATCHES - 1), 1e-12)
    common, each = _slowness(rest)
    chance, weights = _chance(centres, scatter, common)
    # Chains of which little is known count as if they were known as well as all are together.
    freedom = chains * (BATCHES - 1)
    squares = ((1 - weights) * stdtrit(freedom, chance) ** 2).sum(0)
    together = float(fdtrc(chains - 1, freedom, squares / (chains - 1)).min()) * tests
    if chains == 2:
        return min(1.0, together), None
    # A chain that is said to be apart may be one that has not moved far yet.
    apart = 2 * _chance(centres, scatter, each)[0] * tests * chains
    alone, farthest = float(apart.min()), int(apart.min(1).argmin())
    return min(1.0, together, alone), farthest if alone < together else None


def _chance(centres: Array, scatter: Array, slowness: Array) -> tuple[Array, Array]:
    """Return how probable it is that a chain is as far below the others, and the chains' weights.

    All arrays are (chains, quantities). A chain's mean is known as its batches tell, but no better
    than is usual for all chains: the usual scatter is known from all of them, what exceeds it from
    the chain's own batches, which count as fewer if they are like those before them. Degrees of
    freedom of sums are those of Satterthwaite (1946) and Welch (1947).
    """
    from scipy.special import stdtr

    own = scatter * slowness
    usual = np.minimum(own, USUAL * np.median(own, axis=0)).mean(0)
    error = np.maximum(own, usual)
    weights = 1 / error
    weights /= weights.sum(0)
    spread = np.sqrt(error / BATCHES * (1 - weights))
    distances = np.abs(centres - (weights * centres).sum(0)) / spread
    freedom = len(own) * (BATCHES - 1)
    own_freedom = (BATCHES - 1) * 2 * slowness / (1 + slowness**2)
    shares = usual / error
    unknown = shares**2 / freedom + (1 - shares) ** 2 / own_freedom
    mean = weights**2 * unknown
    others = (mean.sum(0) - mean) / (1 - weights) ** 2
    unknown = (1 - weights) ** 2 * unknown + weights**2 * others
    chance: Array = stdtr(np.minimum(1 / unknown, freedom), -distances)
    return chance, weights


def _slowness(rest: Array) -> tuple[Array, Array]:
    """Return by how much the variance of a chain's mean is underrated, (chains, quantities).

    `rest` (chains, batches, quantities) are batches' means without those of their chains. If one is
    like the next, the chains are slower than a batch is long, and a chain's mean is as uncertain as
    that of an autoregressive chain: (1 + r) / (1 - r) times as much. The correlation r is that of a
    quantity in all chains, but not less than is usual for all quantities, so that none seems
    certain by chance; the second array takes into account each chain's own, too, where it is more.
    """
    squares = np.maximum((rest**2).sum(1), 1e-12)
    pairs = (rest[:, 1:] * rest[:, :-1]).sum(1)
    common = _correlation(pairs.sum(0), squares.sum(0))
    common = np.broadcast_to(np.maximum(common, np.median(common)), squares.shape)
    each = np.median(_correlation(pairs, squares), axis=1, keepdims=True)
    first, second = (np.clip(r, 0.0, 0.95) for r in (common, np.maximum(common, each)))
    return (1 + first) / (1 - first), (1 + second) / (1 - second)


def _correlation(pairs: Array, squares: Array) -> Array:
    """Return the correlation of successive batches, without the bias of short series.

    The correction is that of Marriott and Pope (1954).
    """
    r = pairs / squares * BATCHES / (BATCHES - 1)
    corrected: Array = (r + 1 / BATCHES) / (1 - 3 / BATCHES)
    return corrected


def moving(values: Array) -> NDArray[np.int64]:
    """Return how many different samples each chain has, (chains,), given (samples, chains, k).

    A chain whose proposals are rejected, and one that is held, repeats its last sample.
    """
    if len(values) == 0:
        return np.zeros(values.shape[1], np.int64)
    moved: NDArray[np.int64] = 1 + (np.diff(values, axis=0) != 0).any(2).sum(0)
    return moved


def _superchains(
    starts: NDArray[np.int64] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return chains of each start, equally many, and the numbers of their starts."""
    if starts is None:
        return None
    distinct, counts = np.unique(starts, return_counts=True)
    fewest = int(counts.min())
    if len(distinct) < 2 or fewest < 2:
        return None
    taken = [np.flatnonzero(starts == start)[:fewest] for start in distinct]
    return np.concatenate(taken), np.repeat(np.arange(len(distinct)), fewest)


def _normal_scores(values: Array) -> Array:
    """Return the normal scores of the ranks over chains and samples of each quantity."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    flat = values.reshape(-1, values.shape[2])
    ranks = rankdata(flat, axis=0)
    scores: Array = ndtri((ranks - 0.375) / (len(flat) + 0.25)).reshape(values.shape)
    return scores
