r"""The plain Langevin step of the paper.

The activation is a, the rest colour r, and D is the probability that an image is real. Each chain
has a temperature T, step size eps, L2 weight lam, discriminator weight w and smoothness beta.
Smoothness is an addition of this program, 0 by default; TV is the total variation. (So is natural
L2, see `sampler.terms.natural_l2`.) A step is

    U(x) = (1 - w) a(x) - lam |x - r|^2 + w log D(x) - beta TV(x)
    x'   = x + (eps/2) grad U(x) + sqrt(eps T) xi,        xi ~ N(0, 1)

The stationary distribution tends to exp(U / T) as eps -> 0 (Jiang, Chan, Zhang, Canny, arXiv
1812.04604, section 3; Welling and Teh 2011 for the discretisation). For a linear neuron a(x) = v.x,
unclamped and with eps lam < 2, the chain's mean is r + (1-w) v / (2 lam), and the variance of each
pixel is T / (2 lam) / (1 - eps lam / 2). Both are exact at every step size.

With a spectrum or a colour correlation the step is preconditioned, which does not change that
distribution (see `sampler.preconditioner`).

With random views, a(x) is the mean over a step's views (see `sampler.views`).

In mode *exact* the gradients are grad a and grad log D. In mode *normalised* each of them is
divided by its root-mean-square, one number per chain (over the neuron's receptive field for a, over
the image for D), which does not change its direction.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State
from ldam_studio.sampler.kernels.look import Look, look
from ldam_studio.sampler.kernels.parameters import Parameters


class Langevin(Kernel):
    """The unadjusted, overdamped Langevin step; see the module's description."""

    name = "langevin"
    help = "langevin: the plain step of the paper."

    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by (eps/2) grad U + sqrt(eps T) xi, then clamp."""
        here = look(state.x, parameters, density)
        moved = state.x + move_of(here, drawn["noise"], parameters)
        if density.bounds is not None:
            moved.clamp_(*density.bounds)
        return State(moved), here.info


def move_of(here: Look, noise: Tensor, parameters: Parameters) -> Tensor:
    """Return (eps/2) P grad U + sqrt(eps T) R xi, where P = R^2 is the preconditioner."""
    stir = noise * parameters.noise
    if parameters.in_waves:
        size = (noise.shape[2], noise.shape[3])
        move = parameters.step_in_waves(here.drift_in_waves(), stir, size)
        return here.add_preconditioned(move)
    if not parameters.preconditioned:
        return here.add_preconditioned(here.add_drift(stir))
    drift = here.add_drift(torch.zeros_like(stir))
    return here.add_preconditioned(parameters.precondition(drift, stir))
