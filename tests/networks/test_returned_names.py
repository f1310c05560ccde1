"""What a network returns under names: each entry has its name, and the classes' is preferred."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.anatomy.listing import likeliest
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

CODE = """
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Heads:
    features: torch.Tensor
    scores: torch.Tensor


Pair = namedtuple("Pair", "embedding probabilities")


class Net(nn.Module):
    pixels = {"shape": (3, 8, 8)}

    def __init__(self, returns):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)
        self.returns = returns

    def forward(self, x):
        maps = self.conv(x)
        h = maps.mean((2, 3))
        return self.returns(maps, 2 * h, self.head(h))


class Wrapped(nn.Module):
    pixels = Net.pixels

    def __init__(self, net):
        super().__init__()
        self.model = net

    def forward(self, x):
        return self.model(x)


def aux_first():
    return Net(lambda m, h, y: {"aux": h.sigmoid(), "out": y, "boundary": h[:, :1]})


def dataclass_entries():
    return Net(lambda m, h, y: Heads(h, y.softmax(1)))


def named_tuple():
    return Net(lambda m, h, y: Pair(h, y.softmax(1)))


def in_a_list():
    return Net(lambda m, h, y: [{"loss": h.sum(1), "cls_logits": y * 3}])


def numbered_maps():
    return Net(lambda m, h, y: OrderedDict([("0", m * 2), ("1", m * 3), ("pool", h)]))


def wrapped():
    return Wrapped(aux_first())


def a_tuple():
    return Net(lambda m, h, y: (h, y))
"""

PIXELS = PixelSpec(3, 8, 8, mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture
def opened(tmp_path: Path):
    path = tmp_path / "heads.py"
    path.write_text(CODE)

    def open_one(name: str, class_layer: str | None = None) -> Network:
        options = Options(pixels=PIXELS, class_layer=class_layer)
        return open_network(f"{path}:{name}", options=options)

    return open_one


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("aux_first", {"output[aux]": "aux", "output[out]": "out", "output[boundary]": "boundary"}),
        ("dataclass_entries", {"output[features]": "features", "output[scores]": "scores"}),
        ("named_tuple", {"output[embedding]": 0, "output[probabilities]": 1}),
        ("in_a_list", {"output[0][cls_logits]": "cls_logits"}),
        ("numbered_maps", {"output[0]": "0", "output[1]": "1", "output[pool]": "pool"}),
        ("wrapped", {"output[aux]": "aux", "output[out]": "out", "model[out]": "out"}),
        ("a_tuple", {"output": 0, "output[0]": 0, "output[1]": 1}),
    ],
)
def test_every_entry_is_understood_by_its_key(opened, name: str, entries: dict[str, str | int]):
    network = opened(name)
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        returned = network.module(network.normalise(x))
    returned = returned[0] if isinstance(returned, list) else returned
    for address, key in entries.items():
        by_key = isinstance(key, int) or isinstance(returned, dict)
        expected = returned[key] if by_key else getattr(returned, key)
        layer = network.check(Neuron(address, 0)).layer
        torch.testing.assert_close(network.output(x, layer), expected)


@pytest.mark.parametrize(
    ("name", "layer", "words", "beside"),
    [
        (
            "aux_first",
            "head",
            "output[out] (head)",
            "it also returns output[boundary], output[aux]",
        ),
        (
            "dataclass_entries",
            "output[scores]",
            "output[scores]",
            "it also returns output[features]",
        ),
        ("named_tuple", "output[probabilities]", "output[probabilities]", "output[embedding]"),
        ("in_a_list", "output[0][cls_logits]", "output[0][cls_logits]", "output[0][loss]"),
        ("wrapped", "model.head", "output[out] (model.head)", "output[aux] (model[aux])"),
        ("a_tuple", "output", "output", "it also returns output[1] (head)"),
    ],
)
def test_the_entry_with_the_classes_is_preferred_and_said(opened, name, layer, words, beside):
    network = opened(name)
    assert network.class_layer.name == layer
    assert network.class_words == words
    assert beside in network.beside_classes


def test_no_layer_is_called_by_the_first_entry_alone(opened):
    assert "output" not in {layer.name for layer in opened("aux_first").layers}
    assert "model" not in {layer.name for layer in opened("wrapped").layers}


@pytest.mark.parametrize(
    ("places", "chosen"),
    [
        ("[aux] [logits]", "[logits]"),
        ("[aux_logits] [prediction]", "[prediction]"),
        ("[features] [y]", "[y]"),
        ("[loss] [pred_boxes] [pred_logits]", "[pred_logits]"),
        ("[boundary] [cls]", "[cls]"),
        ("[aux][out] [main][out]", "[main][out]"),
        ("[hidden_states] [anything]", "[anything]"),
        ("[age] [gender][logits]", "[gender][logits]"),
        ("[0] [1]", "[0]"),
    ],
)
def test_names_tell_the_main_entry(places: str, chosen: str):
    assert min(places.split(), key=likeliest) == chosen


def test_addresses_of_recipes_of_before_are_understood(opened):
    """0.1.0 called the first entry by the network's name alone, and took it for the classes."""
    network = opened("aux_first", class_layer="")
    assert network.check(Neuron("output", 3)) == Neuron("output[aux]", 3)
    assert network.class_layer.name == "output[aux]"
    assert "class_layer" not in network.reference
    state = open_session(SessionSpec(network, (Neuron("output", 1),)))
    assert state.lane.neurons == (Neuron("output[aux]", 1),)
    assert opened("wrapped").check(Neuron("model", 1)) == Neuron("model[aux]", 1)


def test_info_says_what_is_returned_and_render_takes_an_entrys_name(opened, tmp_path, capsys):
    opened("aux_first")
    given = ["--network", f"{tmp_path}/heads.py:aux_first", "--input-size", "3x8x8"]
    given += ["--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"]
    assert main(["info", *given]) == 0
    said = capsys.readouterr().out
    assert "classes: output[out] (head); it also returns output[boundary], output[aux]\n" in said
    flags = ["--neuron", "output[out]:1", "--steps", "1", "--json", "--out", str(tmp_path / "out")]
    assert main(["render", *given, *flags]) == 0
    assert json.loads(capsys.readouterr().out)["neurons"] == ["head:1"]
