"""What was sampled, as NumPy arrays in pixel units."""

from __future__ import annotations

import numpy as np
import torch

from ldam_studio.engine.picture import Floats
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.export.arrays import arrays_of, npz, values_of
from ldam_studio.networks.anatomy.class_values import ACTIVATION
from ldam_studio.scripting.course import Sampled


def has_average(state: SessionState) -> bool:
    """Return whether every chain has an average."""
    return all(bool((lane.shown_average().count > 0).all()) for lane in state.lanes)


def samples_of(lane: Lane) -> Floats:
    """Return a copy of the chains' present images, (chains, C, H, W)."""
    return np.array(lane.chains.x.detach().cpu().numpy())


def average_of(lane: Lane) -> Floats:
    """Return a copy of the chains' averages, (chains, C, H, W); 0 for chains without a sample."""
    return np.array(lane.shown_average().mean.detach().cpu().numpy())


def activation_of(sampled: Sampled) -> Floats:
    """Return the activation of each step, (steps, chains)."""
    chains = len(sampled.state.lane.neurons)
    rows = sampled.activation or [torch.empty(0, chains)]
    return np.array(torch.stack(rows).reshape(-1, chains).detach().cpu().numpy())


def archive_of(sampled: Sampled) -> bytes:
    """Return an npz file of the arrays of `export.arrays`, and the activation of each step."""
    lane, state = sampled.state.lane, sampled.state
    name = "activation" if lane.objective == ACTIVATION else "objective"
    return npz(arrays_of(state) | values_of(state) | {name: activation_of(sampled)})
