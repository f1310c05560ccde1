"""The plan that a session finds, against the best that plain torch can do on the same processor."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from bare import unprepared
from row import Row
from torch import Tensor, nn

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.compute.device import Device, choose, processor
from ldam_studio.engine.plans.finder import find_plan
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.tuning import gradient_cosine
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

WEIGHTS = {
    "squeezenet1_0": "squeezenet1_0_imagenet.safetensors",
    "resnet50": "resnet50_v1_imagenet.safetensors",
}
NETWORKS = ("squeezenet1_0", "resnet18", "resnet50", "alexnet", "vgg16")
CHAINS = (1, 4, 10)
VARIANTS = {
    f"{name} {layout}": (dtype, memory_format)
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    for layout, memory_format in (
        ("contiguous", torch.contiguous_format),
        ("channels last", torch.channels_last),
    )
}
ROUNDS = 3
BOUND = "<= 1.1"


def measure() -> list[Row]:
    """Compare the processor time of class neurons' network and gradient on one thread, in turns.

    Weights are those in `$LDAM_DATA`, else random ones.
    """
    torch.set_num_threads(1)
    print(f"processor: {processor()}, {torch.backends.cpu.get_cpu_capability()}", file=sys.stderr)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LDAM_CACHE_DIR"] = folder
        for name in os.environ.get("LDAM_BENCH_NETWORKS", ",".join(NETWORKS)).split(","):
            network = _opened(name)
            plain = _variants(network)
            for chains in CHAINS:
                rows += _compared(name, network, plain, chains)
    return rows


def _opened(name: str) -> Network:
    weights = Path(os.environ.get("LDAM_DATA", "")) / "weights" / WEIGHTS.get(name, "none")
    if weights.is_file():
        return open_network(f"torchvision:{name}", weights)
    return open_network(f"torchvision:{name}", options=Options(untrained=True))


def _variants(network: Network) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the gradient as plain torch computes it: the module converted, and nothing else."""

    def gradient_of(module: nn.Module, dtype: torch.dtype, layout: torch.memory_format):
        def gradient(x: Tensor) -> Tensor:
            leaf = x.detach().requires_grad_(True)
            images = network.normalise(leaf).to(dtype).contiguous(memory_format=layout)
            outputs = module(images).float()
            values = outputs.gather(1, torch.arange(len(x))[:, None])
            return torch.autograd.grad(values.sum(), leaf)[0]

        return gradient

    return {
        name: gradient_of(unprepared(network.module).to(dtype, memory_format=layout), dtype, layout)
        for name, (dtype, layout) in VARIANTS.items()
    }


def _compared(
    name: str, network: Network, plain: Mapping[str, Callable[[Tensor], Tensor]], chains: int
) -> list[Row]:
    spec = SessionSpec(network, network.default_neurons(chains), device=choose("cpu", threads=1))
    began = time.thread_time()
    state = find_plan(open_session(spec))
    searched = time.thread_time() - began
    x, ours = state.lane.chains.x, activation_of(state.lane, state.device)
    former = activation_of(state.lane, Device())
    functions = {**plain, "ours": lambda x: ours(x)[1], "0.1.0": lambda x: former(x)[1]}
    times = {what: [_seconds(f, x) for _ in range(1)] for what, f in functions.items()}
    for _ in range(ROUNDS):
        for what, f in functions.items():
            times[what].append(_seconds(f, x))
    least = {what: min(found) for what, found in times.items()}
    best = min(plain, key=lambda what: least[what])
    cosine = gradient_cosine(former(x)[1].flatten(1), ours(x)[1].flatten(1))
    of = f"{name}, {chains} chain{'s' if chains > 1 else ''}"
    print(
        f"{of}: {state.device.plan.words}; best of plain torch {best}, "
        f"{1000 * least[best] / chains:.0f} ms a chain; cosine with float32 "
        f"{cosine[~cosine.isnan()].min():.3f}; found in {searched:.2f} s",
        file=sys.stderr,
        flush=True,
    )
    return [
        Row(f"{of}: network and gradient, ours / {best}", least["ours"] / least[best], BOUND),
        Row(f"{of}: as in 0.1.0, in float32 / ours", least["0.1.0"] / least["ours"]),
    ]


def _seconds(function: Callable[[Tensor], Tensor], x: Tensor) -> float:
    began = time.thread_time()
    function(x)
    return time.thread_time() - began
