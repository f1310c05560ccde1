r"""Underdamped Langevin dynamics: images with momentum and friction.

For unit mass, friction g and time s the dynamics

    dx = v ds,        dv = grad U(x) ds - g v ds + sqrt(2 g T) dW

have the stationary distribution exp((U(x) - |v|^2 / 2) / T), in which the pixels are distributed as
exp(U / T), as in the overdamped chain. One step is the BAOAB splitting (Leimkuhler and Matthews,
"Rational construction of stochastic numerical methods for molecular sampling", 2013) with time step
h = sqrt(eps):

    B  v += (h/2) grad U(x)
    A  x += (h/2) v
    O  v  = c v + sqrt(T (1 - c^2)) xi,        c = exp(-g h),  xi ~ N(0, 1)
    A  x += (h/2) v
    B  v += (h/2) grad U(x)

The step size eps therefore means the same as in the overdamped step: with v = 0 a step moves the
pixels by (eps/2) grad U. For g -> infinity it becomes the overdamped step, with the mean of two
successive noises instead of xi.

The second B uses the same gradient as the first B of the next step. Both are therefore done
together at the beginning of a step, with one gradient per step, and the velocity in memory is the
one before the second B. As long as U does not change, the pixels are exactly those of BAOAB.

For a linear neuron a(x) = v.x with L2, unclamped, U has the curvature k = 2 lam. If eps lam < 2,
pixels have the mean r + (1-w) v / (2 lam) and the variance T / k, exactly, at every step size and
friction. The velocity in memory has the variance T, and the covariance sqrt(eps) T / 2 with its
pixel.

With a preconditioner P = R^2 the dynamics run in the coordinates R^-1 x: B becomes v += (h/2) P
grad U, and R xi replaces xi. At the bounds of valid pixels a pixel is reflected and its velocity
changes sign.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State
from ldam_studio.sampler.kernels.look import look
from ldam_studio.sampler.kernels.parameters import Parameters


class Underdamped(Kernel):
    """Langevin dynamics with momentum; see the module's description.

    `memory` has "velocity", shaped like x.
    """

    name = "underdamped"
    help = (
        "underdamped: images have momentum, so that they cross flat regions faster; Friction slows "
        "them down."
    )

    def draws(self, state: State) -> tuple[str, ...]:
        """Return the source of the step's noise, and in the first step that of the velocities."""
        return ("noise",) if "velocity" in state.memory else ("noise", "velocity")

    def exchanged(
        self, memory: Mapping[str, Tensor], order: Tensor, ratio: Tensor
    ) -> Mapping[str, Tensor]:
        """Give each chain the velocity of its new image, scaled to its temperature.

        Velocities then keep their variance T, so that the exchange depends on U alone (Sugita and
        Okamoto, "Replica-exchange molecular dynamics method for protein folding", 1999).
        """
        return {name: velocity[order] * ratio.sqrt() for name, velocity in memory.items()}

    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by one BAOAB step, then reflect it at the bounds."""
        p, x = parameters, state.x
        h = p.step_size.sqrt()
        kept = torch.exp(-p.columns["friction"] * h)
        velocity = state.memory.get("velocity")
        if velocity is None:
            velocity = p.coloured(drawn["velocity"] * p.temperature.sqrt())
        here = look(x, p, density)
        if p.in_waves:
            drift = p.step_in_waves(here.drift_in_waves(), None, (x.shape[2], x.shape[3]))
        else:
            drift = here.add_drift(torch.zeros_like(x))
            if p.preconditioned:
                drift = p.precondition(drift, torch.zeros_like(drift))
        here.add_preconditioned(drift)
        # The second B of the last step and the first B of this one: h grad U is (2/h) (eps/2) grad
        # U.
        velocity = torch.addcmul(velocity, drift, 2 / h)
        moved = torch.addcmul(x, velocity, h / 2)
        stir = p.coloured(drawn["noise"] * (p.temperature * (1 - kept.square())).sqrt())
        velocity = torch.addcmul(stir, velocity, kept)
        moved.addcmul_(velocity, h / 2)
        if density.bounds is not None:
            inside = moved.clamp(*density.bounds)
            velocity = torch.where(moved == inside, velocity, -velocity)
            # The pixel ends as far inside the bound as it was outside, but not beyond the other
            # bound.
            moved = (2 * inside - moved).clamp_(*density.bounds)
        return State(moved, {"velocity": velocity}), here.info
