r"""The Metropolis-adjusted Langevin algorithm: exact at any step size.

The Langevin step is a proposal, which is accepted with probability min(1, A) (Besag 1994; Roberts
and Tweedie, "Exponential convergence of Langevin distributions and their discrete approximations",
1996); otherwise the chain stays where it is. With g = grad U(x), g' = grad U(x'), the
preconditioner P = R^2 (see `sampler.preconditioner`) and the proposal's noise xi,

    x'      = x + (eps/2) P g + sqrt(eps T) R xi
    T log A = U(x') - U(x) - (2 n.d + |d|^2) / (2 eps)

where n = sqrt(eps T) xi and d = (eps/2) R (g + g'), since R^-1 (x - x' - (eps/2) P g') = -(n + d).
The stationary distribution of the chain is exp(U / T) inside the bounds. Details:

- A proposal outside the bounds is rejected, because the density there is 0. If pixels are pulled to
  a bound, for example by L2, a clamped chain therefore rejects nearly every proposal; do not clamp
  such a chain.
- Gradients are always the true ones, whatever the setting `mode` says.
- With jitter and other random views, both evaluations of a step see the image in the same views
  (see `sampler.views`). Each step is then exact for the density in these views, but their sequence
  samples the expected log-density only approximately.
- At T = 0 the chain climbs: a step that would lower U is rejected.
- A step that guides a chain whose neuron has no gradient is always accepted (`Density.led`).

Every step evaluates the networks twice. Nothing is reused from the step before, because settings,
weights, views or a learning discriminator may have changed U.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State
from ldam_studio.sampler.kernels.look import look
from ldam_studio.sampler.kernels.parameters import Parameters


class MALA(Kernel):
    """Langevin proposals with the Metropolis-Hastings test; see the module's description."""

    name = "mala"
    help = (
        "mala: a Langevin step that is accepted or rejected so that the chain is exact at any step "
        "size; it uses the true gradients in any mode, and takes twice the time. If Acceptance "
        "stays at 0, turn the clamp off and lower the step size."
    )
    mode = "exact"
    steepest = math.inf  # a step too far is rejected
    rejects = True

    def draws(self, state: State) -> tuple[str, ...]:
        """Return the sources of the proposal's noise and of one number in [0, 1) for the test."""
        return ("noise", "accept")

    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Propose a Langevin step for every chain, and take it if it passes the test."""
        bounds, t = density.bounds, parameters.temperature.flatten()
        # Pixels may lie outside the bounds if clamping has just been switched on.
        x = state.x if bounds is None else state.x.clamp(*bounds)
        here = look(x, parameters, density, valued=True)
        noise = drawn["noise"] * parameters.noise
        drift = here.add_drift(torch.zeros_like(x))
        proposed = x + here.add_preconditioned(parameters.precondition(drift, noise))
        there = look(proposed, parameters, density, valued=True)

        rise = there.log_density() - here.log_density()
        both = parameters.root(there.add_drift(drift))
        if any(weighted.term.preconditioned for weighted in parameters.terms):
            pulled = there.add_preconditioned(here.add_preconditioned(torch.zeros_like(x)))
            both = both + parameters.unrooted(pulled)
        cost = ((2 * noise + both) * both / (2 * parameters.step_size)).flatten(1).sum(1)
        passed = torch.where(t > 0, rise - cost > t * drawn["accept"].log(), rise >= 0)
        if bounds is not None:
            inside = (proposed >= bounds[0]) & (proposed <= bounds[1])
            passed &= inside.flatten(1).all(1)
        if (led := density.led()) is not None:
            passed |= led
            proposed = proposed if bounds is None else proposed.clamp(*bounds)
        moved = torch.where(passed.reshape(-1, 1, 1, 1), proposed, x)
        return State(moved), replace(here.info, acceptance=passed.to(x.dtype))
