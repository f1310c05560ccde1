"""The network's term with photo statistics: objective minus gamma H.

H says how far an image is from photographs (see `sampler.moments`). Each chain has its own gamma,
so that the gradient of gamma H has a given strength relative to that of the objective, in the
coordinates in which a normalised step measures gradients. Gamma is measured from both gradients at
some ages of the chains only. In between, one backward pass computes the gradient of the whole term.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.networks.network import Network
from ldam_studio.networks.statistics.statistics import PhotoStatistics
from ldam_studio.sampler.kernels import Parameters
from ldam_studio.sampler.settings import Settings

FIRST, LATER = (0, 3, 10), 25
"""Gamma is measured at these ages, and at all multiples of the other."""
SMALLEST = 1e-8

Both = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Maps x (chains, C, H, W) to the objective and H of each chain, both (chains,), differentiable."""


@dataclass(frozen=True)
class Balance:
    """Each chain's gamma, (chains,), and the number of steps since it was first measured."""

    gamma: Tensor
    age: int = 0

    @property
    def is_due(self) -> bool:
        """Whether gamma is measured in the next step."""
        return self.age in FIRST or self.age % LATER == 0


def begin(chains: int, device: torch.device | str) -> Balance:
    """Return a balance that is measured in the next step."""
    return Balance(torch.zeros(chains, device=device))


def is_wanted(settings: Settings) -> bool:
    """Return whether photo statistics have a weight above 0 for any chain."""
    weight = settings.photo_statistics
    return any(weight) if isinstance(weight, tuple) else weight > 0


def check(network: Network, settings: Settings) -> None:
    """Find the network's statistics, if they are wanted.

    Raises
    ------
    StudioError
        If their file is damaged or is not on this computer.
    """
    if is_wanted(settings):
        network.use_statistics()


@dataclass(frozen=True, eq=False)
class Measured:
    """Statistics that were measured while a session runs.

    Attributes
    ----------
    network
        SHA-256 of the network's weights.
    before
        SHA-256 of the statistics that the session used until then; `NO_FILE` if they had no file.
    """

    network: str
    statistics: PhotoStatistics
    before: str


class Balanced:
    """The network's term of one step, as a `ValueAndGradient`.

    Parameters
    ----------
    balance
        That of the chains before the step.
    views
        Objective and H in each view of the step.
    parameters
        The chains' settings.
    between
        Called before each backward pass, see `value_and_gradient`.

    Attributes
    ----------
    balance
        The balance after the step. Gamma is measured at the first pixels, too, and stays the same
        within a step, so that a kernel that compares two densities compares the same one.
    """

    def __init__(
        self,
        balance: Balance,
        views: Sequence[Both],
        parameters: Parameters,
        between: Callable[[], None],
    ) -> None:
        self.balance = replace(balance, age=balance.age + 1)
        self._objective: Tensor | None = None
        self._views, self._parameters, self._between = views, parameters, between
        self._measures = balance.is_due

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (chains,) values of objective - gamma H, and their gradients, shaped like x."""
        measures = self._measures and self._objective is None
        found = [self._evaluated(view, x, apart=measures) for view in self._views]
        objective, departure, *slopes = (
            torch.stack(parts).mean(0) if len(parts) > 1 else parts[0]
            for parts in zip(*found, strict=True)
        )
        if self._objective is None:
            self._objective = objective
        if measures:
            own, other = slopes
            self.balance = replace(self.balance, gamma=self._gamma(own, other))
            slope = own - self.balance.gamma.reshape(-1, 1, 1, 1) * other
        else:
            (slope,) = slopes
        return objective - self.balance.gamma * departure, slope

    @property
    def objective(self) -> Tensor:
        """The objective at the first pixels that were evaluated, (chains,)."""
        assert self._objective is not None
        return self._objective

    def _evaluated(self, view: Both, x: Tensor, *, apart: bool) -> tuple[Tensor, ...]:
        """Return objective, H, and the gradient of the term, or of objective and H apart."""
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            objective, departure = view(leaf)
            self._between()
            if apart:
                (own,) = torch.autograd.grad(objective.sum(), leaf, retain_graph=True)
                (other,) = torch.autograd.grad(departure.sum(), leaf)
                return objective.detach(), departure.detach(), own, other
            whole = objective - self.balance.gamma * departure
            (slope,) = torch.autograd.grad(whole.sum(), leaf)
        return objective.detach(), departure.detach(), slope

    def _gamma(self, own: Tensor, other: Tensor) -> Tensor:
        weight = self._parameters.columns["photo_statistics"].flatten()
        strength = self._parameters.strength
        return weight * strength(own) / strength(other).clamp_min(SMALLEST)


def sentence(network: Network, layer: str, settings: Settings, *, part: bool) -> str:
    """Return a sentence about photo statistics that have no effect; empty if they have one.

    `part` says whether the neurons see only a part of the image.
    """
    if not is_wanted(settings):
        return ""
    if part:
        return (
            f"Photo statistics have no effect in {layer}, whose neurons see only a part of the "
            "image; choose @mean or a later layer."
        )
    statistics = network.photo_statistics
    if statistics is None and not network.can_be_compared:
        return (
            f"Photo statistics have no effect, because {network.name} has no convolutional layers "
            "at which images of one or three channels could be compared with photographs."
        )
    if statistics is None and network.can_be_compared_before(layer):
        return (
            f"Photo statistics have no effect, because there are none for the weights of "
            f"{network.name}; measure them with ldam-studio train statistics --data FOLDER."
        )
    if statistics is None or network.expected(network.pixels.height, layer) is None:
        return (
            f"Photo statistics have no effect in {layer}, because images are compared with "
            "photographs only at later layers; choose a later layer."
        )
    return ""


def can_be_measured(network: Network, layer: str, settings: Settings, *, part: bool) -> bool:
    """Return whether photographs of the user's would change what photo statistics do.

    They cannot replace statistics that ship. `part` is as in `sentence`.
    """
    if part or not is_wanted(settings) or network.ships_statistics:
        return False
    return network.can_be_compared_before(layer)
