r"""How settled each pixel of an average is: over time, between chains, and by its sign.

All follow from the averages that a session keeps anyway, so that nothing is computed until a frame
asks for it, and no pixel of the session depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.engine.picture import Floats
from ldam_studio.engine.state import Lane

TIME, CHAINS, SIGN = "time", "chains", "sign"
SETTLED = (TIME, CHAINS, SIGN)
SMALLEST = 1e-6  # a smaller standard deviation counts as this one


@dataclass(frozen=True)
class Settled:
    """How settled the pixels of the front chain's average are.

    Attributes
    ----------
    by
        `TIME`: the standard deviation of the chain's samples. `CHAINS`: that between the averages
        of the chains of its neuron and averaging group. `SIGN`: how surely a pixel is on its side
        of the rest colour, from 0 to 1.
    values
        In pixel units, or from 0 to 1 for `SIGN`, (C, H, W); None if there is nothing to compare.
    chains
        The number of chains that were compared; 1 for samples of one chain.
    """

    by: str
    values: Floats | None
    chains: int


def settled_tensors(lane: Lane, front: int, by: str) -> dict[str, Tensor]:
    """Return what `settled_of` needs; empty if `by` is not one of `SETTLED`."""
    if by not in SETTLED:
        return {}
    average = lane.average
    sampled = average.count[front].reshape(1)
    over_time = average.variance[front].sqrt()
    if by == TIME:
        return {"settled": over_time, "settled chains": sampled, "settled samples": sampled}
    groups = lane.averaged_together
    used = (groups == groups[front]) & (average.count > 0)
    weight = used.to(average.mean.dtype).reshape(-1, 1, 1, 1)
    chains = used.sum().reshape(1)
    centre = (weight * average.mean).sum(0) / chains.clamp_min(1)
    squares = (weight * (average.mean - centre).square()).sum(0)
    between = (squares / (chains - 1).clamp_min(1)).sqrt()
    values = between
    if by == SIGN:
        alone = chains < 2
        values = _sureness(
            lane.shown_average().mean[front] - lane.network.pixels.rest,
            torch.where(alone, average.mean[front], centre) - lane.network.pixels.rest,
            torch.where(alone, over_time, between),
        )
    return {"settled": values, "settled chains": chains, "settled samples": sampled}


def settled_of(here: Mapping[str, NDArray[Any]], by: str) -> Settled | None:
    """Return how settled the pixels are, given the tensors on the host; None if nothing is asked.

    Over time there must be two samples, between chains two chains, for signs either.
    """
    if by not in SETTLED:
        return None
    chains, samples = int(here["settled chains"][0]), int(here["settled samples"][0])
    known = samples > 1 if by == TIME else chains > 1 or (by == SIGN and samples > 1)
    values = np.asarray(here["settled"]) if known else None
    return Settled(by, values, 1 if by == TIME else chains)


def _sureness(shown: Tensor, centre: Tensor, deviation: Tensor) -> Tensor:
    r"""Return how surely pixels have the sign that is shown, from 0 to 1.

    If a further average, or sample, is normal with this centre and deviation, it has the sign of
    the centre with probability p = \Phi(|centre| / deviation). The result is 2p - 1, and 0 where
    the shown sign is not that of the centre.
    """
    sure = torch.erf(centre.abs() / deviation.clamp_min(SMALLEST) / 2**0.5)
    return torch.where(shown * centre > 0, sure, 0.0)
