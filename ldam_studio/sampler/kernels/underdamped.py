r"""Underdamped Langevin dynamics: images with momentum and friction.

For unit mass, friction g and time s the dynamics

    dx = v ds,        dv = grad U(x) ds - g v ds + sqrt(2 g T) dW

have the stationary law exp((U(x) - |v|^2 / 2) / T), whose pixels are exp(U / T) as in the
overdamped chain. One step is the BAOAB splitting (Leimkuhler and Matthews, "Rational construction
of stochastic numerical methods for molecular sampling", 2013) with time step h = sqrt(eps):

    B  v += (h/2) grad U(x)
    A  x += (h/2) v
    O  v  = c v + sqrt(T (1 - c^2)) xi,        c = exp(-g h),  xi ~ N(0, 1)
    A  x += (h/2) v
    B  v += (h/2) grad U(x)

The step size eps therefore means the same as in the overdamped step: with v = 0 a step moves the
pixels by (eps/2) grad U, and for g -> infinity it is that step with the mean of two successive
noises in the place of xi.

The second B has the gradient of the next step's first one, so the two are made at once, at the
beginning of a step: one gradient per step. What is kept is the velocity before the second B. As
long as U does not change, pixels go exactly as in BAOAB.

For a linear neuron a(x) = v.x with L2, unclamped, U has the curvature k = 2 lam. Where eps lam < 2,
pixels have the mean r + (1-w) v / (2 lam) and the variance T / k, exactly, at every step size and
friction. The velocity that is kept has variance T, and covariance sqrt(eps) T / 2 with its pixel.

With a preconditioner P = R^2 the dynamics run in the coordinates R^-1 x: v += (h/2) P grad U, and
R xi in the place of xi. At the bounds of valid pixels a pixel is reflected with its velocity.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State
from ldam_studio.sampler.kernels.look import look
from ldam_studio.sampler.kernels.parameters import Parameters
from ldam_studio.sampler.preconditioner import precondition


class Underdamped(Kernel):
    """Langevin dynamics with momentum; see this module. `memory` has "velocity", shaped like x."""

    name = "underdamped"
    help = (
        "underdamped: images have momentum, which Friction slows down, so that they cross flat "
        "stretches faster."
    )

    def draws(self, state: State) -> tuple[str, ...]:
        """Return the step's noise and, at the beginning, the velocities."""
        return ("noise",) if "velocity" in state.memory else ("noise", "velocity")

    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by one BAOAB step, then reflect it at the bounds."""
        p, x = parameters, state.x
        h = p.step_size.sqrt()
        kept = torch.exp(-p.columns["friction"] * h)
        velocity = state.memory.get("velocity")
        if velocity is None:
            velocity = _spread(drawn["velocity"] * p.temperature.sqrt(), p)
        here = look(x, p, density)
        drift = here.add_drift(torch.zeros_like(x))
        if p.preconditioned:
            still = torch.zeros_like(drift)
            drift = precondition(drift, still, p.spectrum, p.colour_correlation)
        # B of the last step and B of this one: h grad U is 2/h times (eps/2) grad U.
        velocity = torch.addcmul(velocity, drift, 2 / h)
        moved = torch.addcmul(x, velocity, h / 2)
        stir = _spread(drawn["noise"] * (p.temperature * (1 - kept.square())).sqrt(), p)
        velocity = torch.addcmul(stir, velocity, kept)
        moved.addcmul_(velocity, h / 2)
        if density.bounds is not None:
            inside = moved.clamp(*density.bounds)
            velocity = torch.where(moved == inside, velocity, -velocity)
            # As far inside as it was outside, but not beyond the other bound.
            moved = (2 * inside - moved).clamp_(*density.bounds)
        return State(moved, {"velocity": velocity}), here.info


def _spread(noise: Tensor, parameters: Parameters) -> Tensor:
    """Return R noise."""
    if not parameters.preconditioned:
        return noise
    still = torch.zeros_like(noise)
    return precondition(still, noise, parameters.spectrum, parameters.colour_correlation)
