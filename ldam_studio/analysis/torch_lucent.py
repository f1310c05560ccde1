"""torch-lucent, another program that draws pictures for neurons, with its own defaults.

Lucent climbs the gradient with Adam, without noise or averages. It uses a Fourier parameterisation
of 128 pixels with decorrelated colours, and random shifts, zooms and rotations. It is not part of
this program; CONTRIBUTING.md says how to install it for comparisons.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ldam_studio.analysis.drawing import Drawn, clock
from ldam_studio.analysis.sampling import OnStep
from ldam_studio.networks.copying import copied
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

SIDE = 128
"""Side of Lucent's images, its default."""


def installed() -> bool:
    """Return whether torch-lucent, with what it needs itself, can be imported."""
    try:
        _part("render")
    except ImportError:
        return False
    return True


def _part(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lucent's and kornia's own, about newer versions
        return importlib.import_module(f"lucent.optvis.{name}")


@dataclass(frozen=True)
class TorchLucent:
    """Lucent's defaults, apart from the number of steps, on a network for RGB images."""

    network: Network

    @property
    def name(self) -> str:
        """The tool's name."""
        return "torch-lucent"

    def draw(
        self, neurons: Sequence[Neuron], steps: int, seed: int, on_step: OnStep = lambda: None
    ) -> Drawn:
        """Draw a picture of each class neuron; there are no averages."""
        objectives, param, render, transform = map(
            _part, ("objectives", "param", "render", "transform")
        )
        device = "cuda" if torch.cuda.is_available() else "cpu"  # where Lucent puts its images
        began = clock(device)
        module = _Counted(copied(self.network.module), on_step).to(device)
        classes = (
            objectives.channel("module", neuron.index, batch=number)
            for number, neuron in enumerate(neurons)
        )
        with warnings.catch_warnings(), _seeded(seed):
            warnings.simplefilter("ignore")
            (images,) = render.render_vis(
                module,
                objectives.Objective.sum(list(classes)),
                lambda: param.image(SIDE, batch=len(neurons)),
                # Lucent knows only ImageNet's mean and deviation.
                transforms=[*transform.standard_transforms, self._normalise],
                preprocess=False,
                thresholds=(steps,),
                progress=False,
                show_image=False,
            )
        if module.steps < steps:
            raise KeyboardInterrupt  # Lucent itself takes Ctrl-C for the end of the run
        return Drawn(_pixels(images, self.network), None, clock(device) - began)

    def json(self) -> dict[str, Any]:
        """Return the tool's name."""
        return {"tool": self.name}

    def _normalise(self, x: Tensor) -> Tensor:
        pixels = self.network.pixels
        mean, std = (torch.tensor(v, device=x.device) for v in (pixels.mean, pixels.std))
        return (x - mean[:, None, None]) / std[:, None, None]


class _Counted(nn.Module):
    """A network that reports each run, and whose output has a name, as Lucent requires."""

    def __init__(self, module: nn.Module, on_step: OnStep) -> None:
        super().__init__()
        self.module = module
        self.steps = 0
        self._on_step = on_step

    def forward(self, x: Tensor) -> Any:
        output = self.module(x)
        self.steps += 1
        self._on_step()
        return output


def _pixels(images: np.ndarray[Any, Any], network: Network) -> Tensor:
    """Return Lucent's images (n, H, W, C), from 0 to 1, in the network's pixel units."""
    pixels = network.pixels
    found = torch.from_numpy(images).permute(0, 3, 1, 2)
    return pixels.minimum + found * (pixels.maximum - pixels.minimum)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators that Lucent uses, and restore them afterwards."""
    state = np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            np.random.set_state(state)
