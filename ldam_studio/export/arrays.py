"""The arrays of a session as an npz file, which numpy reads with ``allow_pickle=False``."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldam_studio.engine.description import describe
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.export.places import with_written_places
from ldam_studio.networks.anatomy.class_values import ClassValue
from ldam_studio.progress import tell


def arrays_of(state: SessionState) -> dict[str, Any]:
    """Return the arrays of a session, in pixel units.

    Those of further lanes have ``second_``, ``third_`` and so on before their names.

    - ``x``: the raw samples, (chains, C, H, W).
    - ``average``: the running averages, (chains, C, H, W); 0 before the first sample.
    - ``samples``: the number of samples in each average, (chains,).
    - ``burned_in``: whether each chain is burned in, (chains,).
    - ``neurons``, ``labels``: address and name of each chain's neuron, as text, (chains,).
    - ``settings``: JSON that describes the session, a single text.
    - ``step``: the number of steps, a single number.
    """
    found: dict[str, Any] = {}
    for number, lane in enumerate(state.lanes):
        name = before(number)
        average = lane.shown_average()
        found |= {
            f"{name}x": lane.chains.x.detach().cpu().numpy(),
            f"{name}average": average.mean.detach().cpu().numpy(),
            f"{name}samples": average.count.cpu().numpy(),
            f"{name}burned_in": lane.progress.done.cpu().numpy(),
            f"{name}neurons": np.array([str(neuron) for neuron in lane.neurons], dtype=str),
            f"{name}labels": np.array([lane.network.label(n) for n in lane.neurons], dtype=str),
        }
    described = with_written_places(describe(state.outline), None)
    settings = json.dumps(described, sort_keys=True, allow_nan=False)
    return found | {"settings": np.array(settings), "step": np.array(state.step)}


def before(lane: int) -> str:
    """Return what stands before the names of a lane's arrays."""
    if not lane:
        return ""
    ordinals = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    return f"{ordinals[lane - 1]}_"


def values_of(state: SessionState) -> dict[str, Any]:
    """Return the activation of each chain's neuron at ``x``, (chains,), for each lane.

    With another objective than the activation, ``objective_at_x`` has its values. The networks are
    run, so that this is for the thread of the session.
    """
    found = {}
    for number, lane in enumerate(state.lanes):
        name = before(number)
        found[f"{name}activation_at_x"] = on_whole_images(lane).cpu().numpy()
        if (value := lane.targets.units.class_value) is not None:
            found[f"{name}objective_at_x"] = on_whole_images(lane, value).cpu().numpy()
    return found


@torch.no_grad()
def on_whole_images(lane: Lane, value: ClassValue | None = None) -> Tensor:
    """Return the activation of each chain's neuron, or another value, on its whole image."""
    if lane.targets.crop is None and value is lane.targets.units.class_value:
        return lane.activation(lane.chains.x)
    neurons = lane.sized.seen_from(lane.network, lane.neurons)
    found = [
        lane.sized.activation(x[None], lane.sized.units((neuron,), value))
        for neuron, x in zip(neurons, lane.chains.x, strict=True)
    ]
    return torch.cat(found)


def npz(arrays: dict[str, Any]) -> bytes:
    """Return arrays as the bytes of a compressed npz file."""
    tell("compressing the arrays")
    file = BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
