"""Networks in a person's own code: what works, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.machine import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.networks.layers import list_layers
from ldam_studio.networks.network import Network
from ldam_studio.networks.zoo import open_network

CODE = """
import torch
from torch import nn

PIXELS = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)

def body():
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(4)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 5))

class Giving(nn.Module):
    pixels = PIXELS
    def __init__(self, give, body=body):
        super().__init__()
        self.body, self.give = body(), give
    def forward(self, x):
        return self.give(self.body, x)
"""


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], Network]:
    """Open the network that an expression makes, in a file of its own."""

    def opened(expression: str) -> Network:
        lines = "\n    ".join(expression.strip().splitlines())
        if not lines.rpartition("\n")[2].lstrip().startswith(("return", "raise")):
            head, _, last = lines.rpartition("\n    ")
            lines = f"{head}\n    return {last}" if head else f"return {last}"
        (tmp_path / "mine.py").write_text(f"{CODE}\ndef model():\n    {lines}\n")
        return open_network(f"{tmp_path}/mine.py:model")

    return opened


@pytest.mark.parametrize(
    "expression",
    [
        "Giving(torch.no_grad()(lambda body, x: body(x)))",
        "Giving(torch.inference_mode()(lambda body, x: body(x)))",
        "Giving(lambda body, x: body(x).detach())",
        "torch.ao.quantization.quantize_dynamic(body(), {nn.Linear}), PIXELS",
    ],
    ids=["no_grad", "inference_mode", "detached", "quantised"],
)
@pytest.mark.filterwarnings("ignore")  # torch's own, about its ways of quantising
def test_an_output_without_a_gradient_is_refused(opened, expression):
    with pytest.raises(StudioError, match=r"mine.py:model lets no gradient through to the image"):
        opened(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "Giving(lambda body, x: body(x).argmax(1, keepdim=True))",
        "Giving(lambda body, x: body(x) > 0)",
        "Giving(lambda body, x: body(x)[:, :0])",
        "Giving(lambda body, x: torch.fft.fft(body(x)))",
    ],
    ids=["whole numbers", "yes or no", "none at all", "complex"],
)
def test_an_output_that_cannot_be_looked_at_is_no_layer(opened, expression):
    network = opened(expression)
    assert [layer.name for layer in network.layers][-1] == "body"
    state = open_session(SessionSpec(network, network.default_neurons(3), machine=choose("cpu")))
    assert advance(state)[0].step == 1


def test_a_network_of_which_nothing_can_be_looked_at_is_refused(opened):
    with pytest.raises(StudioError, match="gives no units to look at; .* floating-point numbers"):
        opened("Giving(lambda body, x: (x > 0).flatten(1))")


def test_a_network_for_one_image_at_a_time_is_refused(opened):
    with pytest.raises(StudioError, match=r"one image at a time \(RuntimeError: shape .*1, 768"):
        opened("Giving(lambda body, x: x.view(1, 768))")
    with pytest.raises(StudioError, match=r"one image at a time \(for two, layer output gives 5"):
        opened("Giving(lambda body, x: body(x)[0] if len(x) > 1 else body(x) + 0)")


def test_what_fails_in_a_step_only_is_a_sentence(opened):
    network = opened(
        """
def give(body, x):
    assert len(x) <= 2, "two at most"
    return body(x)
return Giving(give)
"""
    )
    state = open_session(SessionSpec(network, network.default_neurons(3), machine=choose("cpu")))
    with pytest.raises(StudioError, match=r"a step of 3 chains in layer body \(AssertionError: two"):
        advance(state)
    assert state.step == 0


def test_layers_before_a_detached_one_are_left_and_those_behind_it_are_not():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return x.mean((2, 3)) + self.second(x.detach()).mean((2, 3))

    listed = list_layers("cut", Cut().eval().requires_grad_(False), torch.zeros(1, 3, 9, 9))
    assert [layer.name for layer in listed.all] == ["first", "output"]
