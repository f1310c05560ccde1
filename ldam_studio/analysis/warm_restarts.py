"""Whether warm restarts show more of a neuron's pictures: the same chains under three schedules.

Every chain takes the same number of steps from the same start with the same noise, at a constant
temperature, cooled once, or in cycles (see `sampler.schedule`). The steps are divided into as many
parts as there are cycles. Each chain is averaged over the last quarter of each part, which is the
cold end of a cycle, and all averages of a neuron are grouped by their similarity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.analysis.modality import grouped
from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.schedule_settings import CYCLES, GEOMETRIC, ONCE
from ldam_studio.sampler.settings import Settings


@dataclass(frozen=True)
class Plan:
    """How the chains of each neuron are run.

    Attributes
    ----------
    chains
        Number of chains of each neuron.
    cycles, length
        Number of cycles, and the steps of each.
    hot
        Factor by which the temperature is higher where a cycle, or the one cooling, begins.
    similarity
        Mean cosine above which two groups of averages form one mode.
    """

    chains: int = 2
    cycles: int = 5
    length: int = 200
    hot: float = 30.0
    similarity: float = 0.5

    @property
    def steps(self) -> int:
        """Number of all steps of a chain."""
        return self.cycles * self.length


@dataclass(frozen=True)
class Found:
    """What the chains of one neuron showed.

    Attributes
    ----------
    pictures
        Mean of each mode's averages, (modes, C, H, W) in pixel units, the most frequent first.
    crossed
        Share of the parts, from the second on, in which a chain's average is of another mode than
        in the part before: its cosine with the former is below the plan's similarity.
    activation
        Mean activation of the averages.
    """

    pictures: Tensor
    crossed: float
    activation: float


def schedules(settings: Settings, plan: Plan) -> dict[str, Settings]:
    """Return the settings of each schedule by its name; all have the same own values."""
    temperature = settings.temperature
    own = temperature[0] if isinstance(temperature, tuple) else temperature
    hot = settings.with_values({"temperature_start": plan.hot * own, "schedule_course": GEOMETRIC})
    once = {"schedule_shape": ONCE, "schedule": plan.steps}
    cycles = {"schedule_shape": CYCLES, "schedule": plan.length, "cycle_sampled": 1.0}
    return {
        "constant": settings,
        "once": hot.with_values(once),
        "cycles": hot.with_values({**cycles, "average_cycles": "all"}),
    }


def examine(
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    plan: Plan,
    seed: int,
    device: Device,
    on_step: Callable[[], None] = lambda: None,
) -> list[Found]:
    """Run the chains of `neurons`, all of one layer, and return what each neuron's chains showed.

    The average begins anew with the last quarter of each part.
    """
    spread = tuple(neuron for neuron in neurons for _ in range(plan.chains))
    settings = settings.with_values({"burn_in": 0, "window": 0, "threshold": 0.0, "thin": 1})
    state = open_session(SessionSpec(network, spread, settings, seed, device=device))
    kept = []
    for step in range(plan.steps):
        cold = step % plan.length == plan.length * 3 // 4
        state, _ = advance(state, [Change("reset_average")] if cold else [])
        on_step()
        if (step + 1) % plan.length == 0:
            average = state.lane.average.mean
            activation, _ = activation_of(state.lane, state.device)(average)
            kept.append((average.cpu(), activation.detach().cpu()))
    averages, activations = (torch.stack(each) for each in zip(*kept, strict=True))
    return [
        _found(averages[:, part], activations[:, part], network.pixels.rest, plan.similarity)
        for part in torch.arange(len(spread)).split(plan.chains)
    ]


def _found(averages: Tensor, activations: Tensor, rest: float, least: float) -> Found:
    """Return what averages (cycles, chains, C, H, W) of one neuron show."""
    shapes = (averages - rest).flatten(2)
    cosines = torch.cosine_similarity(shapes[1:], shapes[:-1], dim=2)
    return Found(
        pictures=grouped(averages.flatten(0, 1), rest, least).pictures,
        crossed=float((cosines < least).double().mean()) if len(cosines) else 0.0,
        activation=float(activations.mean()),
    )
