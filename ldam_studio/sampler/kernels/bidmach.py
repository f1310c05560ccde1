"""The update rule of the paper's own program, BIDMach (its `Synthesis.mcmc`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels.kernel import Info, Kernel, State
from ldam_studio.sampler.kernels.langevin import move_of
from ldam_studio.sampler.kernels.look import SMALLEST_RMS, look
from ldam_studio.sampler.kernels.parameters import Parameters

DECAY = 0.9  # of the mean squares and of the momentum


class BIDMach(Kernel):
    """A Langevin step with each pixel's gradient scaled by its history, and momentum.

    With a network's gradient g, its running mean square s and the momentum m, for each pixel:

        s'  = .9 s + .1 g^2,            g / sqrt(s' + 1e-8) is used instead of g
        m'  = .9 m + .1 (the Langevin step, noise included),        x' = x + m'

    The noise has the strength that would be exact without momentum. `memory` has "momentum" and a
    mean square for each network, all shaped like x.
    """

    name = "bidmach"
    help = "bidmach: the update rule of the paper's own program, which ignores the mode."
    mode = "by pixel"
    # With a = (eps/2) k the waves follow z^2 - (1 + d - (1 - d) a) z + d = 0 with the decay d.
    steepest = 2 * (1 + DECAY) / (1 - DECAY)

    def step(
        self, state: State, drawn: Mapping[str, Tensor], parameters: Parameters, density: Density
    ) -> tuple[State, Info]:
        """Move every chain by the smoothed step, then clamp."""
        here = look(state.x, parameters, density)
        zero = torch.zeros_like(state.x)
        memory = dict(state.memory)
        parts = []
        for part in here.parts:
            term = part.weighted.term
            if term.source is not None:
                key = f"{term.name}_square"
                square = DECAY * memory.get(key, zero) + (1 - DECAY) * part.gradient.square()
                memory[key] = square
                part = replace(part, gradient=part.gradient / (square + SMALLEST_RMS).sqrt())
            parts.append(part)
        step = move_of(replace(here, parts=tuple(parts)), drawn["noise"], parameters)
        move = DECAY * memory.get("momentum", zero) + (1 - DECAY) * step
        moved = state.x + move
        if density.bounds is not None:
            moved.clamp_(*density.bounds)
        return State(moved, memory | {"momentum": move}), here.info
