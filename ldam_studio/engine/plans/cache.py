"""The plans that were found on this computer, in the user's cache folder.

They are kept by network (its architecture, not its weights), layer, number of chains (more than
`FEW` count as `FEW`) and machine. A damaged or missing file only means that plans are measured
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec
import torch
from msgspec import Struct

from ldam_studio.engine.compute.device import MOST_THREADS, Device, processor
from ldam_studio.engine.state import Lane
from ldam_studio.engine.tuning import FEW
from ldam_studio.errors import StudioError
from ldam_studio.files import cache_folder, read_state, set_aside, write_bytes
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import BFLOAT16, FIRST_LAYERS, FLOAT32, LAYOUTS, Plan

VERSION = 1
"""Increased when plans that were found before are no longer the best."""

MOST = 1000
"""Number of plans that are kept; the oldest are dropped."""


class Key(Struct, frozen=True):
    """What a plan was measured for."""

    network: str
    layer: str
    size: str
    chains: int
    machine: str


class Found(Struct, frozen=True):
    """A plan with its key."""

    key: Key
    plan: Plan


def key_of(device: Device, lane: Lane) -> Key:
    """Return the key of a lane's plan."""
    crop = lane.targets.crop
    size = lane.sized.pixels.shape
    if crop is not None:
        top, left, bottom, right = crop.box
        size = size[0], bottom - top, right - left
    chains = min(FEW, len(lane.neurons))
    return Key(
        network=architecture(lane.network),
        layer=lane.targets.layer,
        size=" x ".join(map(str, size)),
        chains=chains,
        machine=machine(device),
    )


def architecture(network: Network) -> str:
    """Return a hash of a network's architecture and the size of its images, not of its weights."""

    def measure() -> str:
        module = network.module
        # Not its state_dict, in which the user's own code may put anything.
        weights = (*module.named_parameters(), *module.named_buffers())
        tensors = [(name, tuple(tensor.shape)) for name, tensor in weights]
        said = f"{module!r} {tensors} {network.pixels.shape}"
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    return network.remembered(("architecture",), measure)


def machine(device: Device) -> str:
    """Return what is known of the processor, with what was requested of it."""
    asked = {name: getattr(device, name) for name in device.asked}
    return (
        f"{VERSION}; {processor()}; {torch.backends.cpu.get_cpu_capability()}; {cores()} cores; "
        f"torch {torch.__version__}; {asked}"
    )


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def recall(key: Key) -> Plan | None:
    """Return the plan that was found before; None if there is none that a session can take."""
    return next((f.plan for f in _read() if f.key == key and _is_possible(f.plan)), None)


def _is_possible(plan: Plan) -> bool:
    named = plan.precision in (FLOAT32, BFLOAT16) and plan.layout in LAYOUTS
    return named and plan.first_layers in FIRST_LAYERS and 1 <= plan.threads <= MOST_THREADS


def recall_all(network: Network) -> list[Found]:
    """Return all plans that were found for a network on this computer, in any session."""
    here, name = machine(Device()).rpartition("; ")[0], architecture(network)
    return [
        found
        for found in _read()
        if found.key.network == name and found.key.machine.startswith(here)
    ]


def remember(key: Key, plan: Plan) -> None:
    """Keep a plan for later sessions; does nothing if the folder cannot be written to."""
    others = [found for found in _read() if found.key != key]
    kept = [*others, Found(key, plan)][-MOST:]
    with contextlib.suppress(StudioError):
        write_bytes(_file(), msgspec.json.encode(kept))


def _file() -> Path:
    return cache_folder() / "plans.json"


def _read() -> list[Found]:
    try:
        return msgspec.json.decode(read_state(_file()), type=list[Found])
    except StudioError:  # none yet
        return []
    except (ValueError, RecursionError):  # perhaps of a later version
        set_aside(_file())
        return []
