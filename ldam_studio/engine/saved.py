"""A session as plain data: JSON and tensors from which it goes on, bit for bit.

Used where a log has grown too long to travel, and to find the last session again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ldam_studio.engine.lanes import targets
from ldam_studio.engine.machine import Machine
from ldam_studio.engine.realness import prepare_learner
from ldam_studio.engine.session import describe, open_session, spec_from
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.sampler import langevin
from ldam_studio.sampler.average import Average
from ldam_studio.sampler.burn_in import BurnIn
from ldam_studio.sampler.random import Generators
from ldam_studio.training import learner


def freeze(state: SessionState) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return all that a session is, but for its log.

    Returns
    -------
    A description in JSON's types (what `session.describe` says, and where the session is), and
    tensors by name on the CPU.
    """
    lane = state.lane
    progress = lane.progress
    description = describe(state) | {
        "at": {
            "step": state.step,
            "melting": state.melting,
            "burn_in_steps": progress.steps,
            "burn_in_filled": progress.filled,
        }
    }
    tensors = {"x": lane.chains.x}
    if lane.chains.moments is not None:
        tensors |= _tensors_of("moments", lane.chains.moments)
    tensors |= _tensors_of("average", lane.average)
    tensors |= _tensors_of("progress", progress)
    tensors |= {f"generators.{name}": value for name, value in state.generators.state().items()}
    if state.noise is not None:
        tensors["noise"] = state.noise
    if state.learner is not None:
        tensors |= {f"learner.{name}": value for name, value in state.learner.tensors().items()}
    return description, {name: t.detach().cpu().clone() for name, t in tensors.items()}


def thaw(
    description: Mapping[str, Any], tensors: Mapping[str, Tensor], machine: Machine | None = None
) -> SessionState:
    """Return the session that `freeze` was given, with an empty log.

    Parameters
    ----------
    machine
        Where to go on; None for the machine that is described.

    Raises
    ------
    StudioError
        If networks or discriminators are missing or have changed, or the data do not fit together.
    """
    state = open_session(spec_from(description, machine))
    device = state.machine.device
    try:
        at = description["at"]
        lane = state.lane
        here = {name: tensor.to(device) for name, tensor in tensors.items()}
        if here["x"].shape != lane.chains.x.shape:
            raise ValueError(f"chains of shape {tuple(here['x'].shape)}")
        moments = None
        if "moments.momentum" in here:
            moments = langevin.Moments(**_fields(langevin.Moments, "moments", here))
        progress = BurnIn(
            steps=int(at["burn_in_steps"]),
            filled=int(at["burn_in_filled"]),
            **_fields(BurnIn, "progress", here),
        )
        state.step, state.melting = int(at["step"]), int(at["melting"])
        state.noise = here.get("noise")
        state.generators = Generators.restore(
            state.seed, device, {n: t.cpu() for n, t in _under("generators.", tensors).items()}
        )
        learned = _under("learner.", tensors)
        if learned and state.discriminator is not None:
            state.learner = learner.from_tensors(state.discriminator.module, learned)
            prepare_learner(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise StudioError(
            f"The saved session is incomplete or damaged ({error}); start a new one."
        ) from None
    lane = replace(
        lane,
        targets=targets(lane.network, lane.neurons, lane.settings, state.machine),
        parameters=langevin.Parameters.of(lane.settings, len(lane.neurons), device, state.heat),
        chains=langevin.State(here["x"], moments),
        average=Average(**_fields(Average, "average", here)),
        progress=progress,
    )
    state.lanes = (lane,)
    state.origin = dict(description)
    return state


def rebase(state: SessionState, origin: Mapping[str, Any]) -> None:
    """Let the log begin anew at this step; `origin` says how to get here without it."""
    state.origin = dict(origin)
    state.log.clear()


def _tensors_of(name: str, value: Any) -> dict[str, Tensor]:
    found = {f"{name}.{field.name}": getattr(value, field.name) for field in fields(value)}
    return {key: tensor for key, tensor in found.items() if isinstance(tensor, torch.Tensor)}


def _fields(kind: Any, name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    known = {field.name for field in fields(kind)}
    return {key: t for key, t in _under(f"{name}.", tensors).items() if key in known}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
