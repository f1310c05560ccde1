"""The opening session as a bare torch loop: what the studio's own speed is held against."""

from __future__ import annotations

import copy
import time

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from ldam_studio.engine.state import SessionState
from ldam_studio.networks.prepare import Conv2d


def unprepared(module: nn.Module) -> nn.Module:
    """Return a copy as somebody would have it: torch's own layers and layout, weights frozen."""
    plain = copy.deepcopy(module)
    for part in plain.modules():
        if isinstance(part, Conv2d):
            part.__class__ = nn.Conv2d
    for parameter in plain.parameters():
        parameter.data = parameter.data.contiguous()
    return plain


class BareLoop:
    """The same network, discriminator, chains and numbers, with nothing around them."""

    def __init__(self, state: SessionState) -> None:
        lane = state.lane
        self.network = unprepared(lane.network.module)
        self.discriminator = unprepared(state.discriminator.module)
        self.mean, self.std = lane.network.pixels.mean[0], lane.network.pixels.std[0]
        self.indices = lane.targets.units.indices[:, None]
        self.x = lane.chains.x.clone()
        self.average = torch.zeros_like(self.x)
        self.settings = lane.settings
        self.steps = 0

    def step(self) -> None:
        """Take one normalised, clamped step and average it."""
        s = self.settings
        leaf = self.x.detach().requires_grad_(True)
        activation = self.network((leaf - self.mean) / self.std).gather(1, self.indices)
        (gradient,) = torch.autograd.grad(activation.sum(), leaf)
        leaf = self.x.detach().requires_grad_(True)
        (pull,) = torch.autograd.grad(logsigmoid(self.discriminator(leaf)).sum(), leaf)
        gradient = gradient / gradient.square().mean((1, 2, 3), keepdim=True).sqrt()
        pull = pull / pull.square().mean((1, 2, 3), keepdim=True).sqrt()
        w = s.discriminator_weight
        force = (1 - w) * gradient + w * pull - 2 * s.l2 * self.x
        noise = torch.randn_like(self.x)
        self.x = self.x + s.step_size / 2 * force + (s.step_size * s.temperature) ** 0.5 * noise
        self.x.clamp_(0, 1)
        self.steps += 1
        self.average += (self.x - self.average) / self.steps

    def rate(self, seconds: float) -> float:
        """Return steps per second over about that long."""
        before, started = self.steps, time.perf_counter()
        while time.perf_counter() - started < seconds:
            self.step()
        return (self.steps - before) / (time.perf_counter() - started)
