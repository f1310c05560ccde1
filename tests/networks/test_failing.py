"""A network that fails on an image: the input is blamed only where it is the cause."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, size, channels, forward):
        super().__init__()
        self.c, self.give = nn.Conv2d(channels, 2, 3), forward
        self.fc = nn.Linear(2 * (size - 2) ** 2, 4)
    def forward(self, x):
        return self.give(self, x)

def given(net, x):
    return net.fc(net.c(x).flatten(1))
"""

INPUT = {
    "another size": ("Net(28, 1, given)", "1 x 28 x 28"),
    "an asserted size": (
        "Net(32, 3, lambda n, x: given(n, x) if x.shape[-1] == 32 else 1 / 0)",
        "3 x 32 x 32",
    ),
    "other channels": ("Net(16, 5, given)", "5 x 16 x 16"),
    "other channels and size": ("Net(28, 4, given)", "4 x 28 x 28"),
    "lazy layers": (
        "nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(3), Only(28))",
        None,
    ),
}


def failure(folder: Path, expression: str) -> str:
    (folder / "net.py").write_text(
        f"{CODE}\nclass Only(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
        f"    def forward(self, x):\n        raise KeyError('gone')\n"
        f"def model():\n    return {expression}\n"
    )
    pixels = PixelSpec(3, 16, 16, (0.5,) * 3, (0.5,) * 3, 0.5)
    with pytest.raises(StudioError) as error:
        open_network(f"{folder}/net.py:model", options=Options(pixels=pixels))
    return str(error.value)


@pytest.mark.parametrize("kind", [kind for kind, (_, works) in INPUT.items() if works])
def test_the_input_is_the_cause_if_another_one_works(tmp_path, kind):
    expression, works = INPUT[kind]
    said = failure(tmp_path, expression)
    assert "fails on an image of 3 x 16 x 16" in said
    assert said.endswith(
        f"it works on an image of {works}: specify the input that it was made for."
    )


OTHER = {
    "a slip of the pen": ("Net(16, 3, lambda n, x: n.nothing(x))", "AttributeError", "line 22"),
    "an assertion": (
        "Net(16, 3, lambda n, x: exec('assert not len(x)'))",
        "AssertionError",
        "line 22",
    ),
    "layers that never fit": (
        "nn.Sequential(nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3))",
        "in its layer 1 (Conv2d), which is given 2 x 14 x 14",
        "no other size works either",
    ),
    "a mistake in a layer": ("nn.Sequential(nn.Conv2d(3, 2, 3), Only(1))", "KeyError", "line 20"),
    "lazy layers": (INPUT["lazy layers"][0], "has lazy layers and fails", "line 20"),
}


@pytest.mark.parametrize("kind", OTHER)
def test_otherwise_the_error_is_quoted_with_its_line(tmp_path, kind):
    expression, quoted, place = OTHER[kind]
    said = failure(tmp_path, expression)
    assert quoted in said and place in said
    assert "the input" not in said


def test_looking_for_another_input_leaves_no_trace(tmp_path):
    torch.manual_seed(1)
    drawn = torch.get_rng_state()
    failure(tmp_path, "Net(99, 3, given)")
    assert torch.equal(torch.get_rng_state(), drawn)
    assert torch.is_grad_enabled()


def test_sizes_that_a_running_network_cannot_take_are_not_searched_for(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(f"{CODE}\ndef model():\n    return Net(16, 3, given)\n")
    pixels = PixelSpec(3, 16, 16, (0.5,) * 3, (0.5,) * 3, 0.5)
    network = open_network(f"{tmp_path}/net.py:model", options=Options(pixels=pixels))
    tried: list[int] = []
    network.module.c.register_forward_hook(lambda _m, x, _y: tried.append(x[0].shape[-1]))
    assert network.at_side(24) is None
    assert set(tried) == {24, 32}
