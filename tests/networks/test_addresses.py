"""Addresses of neurons: a layer may have any name, and its address can be written and read."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.gui.picker.search import Index
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, parse_neurons, typed_neurons, unsigned
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.scripting.neurons import neurons_of

PLACES = (
    st.none()
    | st.just("mean")
    | st.tuples(st.integers(0, 99))
    | st.tuples(*[st.integers(0, 99)] * 2)
)
NAMES = st.text(min_size=1) | st.text("+-:@#. 0123456789mean,[]", min_size=1)


@given(name=NAMES, index=st.integers(0, 10**6), place=PLACES, sign=st.sampled_from([1, -1]))
def test_what_is_written_is_read_as_the_same_neuron(name, index, place, sign):
    neuron = Neuron(name, index, place, sign)
    assert Neuron.parse(str(neuron)) == neuron


@given(
    name=NAMES,
    first=st.integers(0, 50),
    more=st.integers(0, 20),
    spaces=st.sampled_from(["", "  "]),
)
def test_a_range_typed_with_spaces_around_it_is_of_the_layer_that_has_the_name(
    name, first, more, spaces
):
    text = f"{Neuron(name, first)}-{first + more}"
    neurons = typed_neurons(text + spaces, {name})
    assert neurons == [Neuron(name, first + i) for i in range(more + 1)]
    if name.strip() == name:
        assert typed_neurons(spaces + text, {name}) == neurons


def test_plain_addresses_are_written_as_before():
    for text in ("fc3:4", "-fc3:4", "features.12:249@3,4", "fc:1@mean", "block.0:3@7"):
        assert str(Neuron.parse(text)) == text
    assert Neuron.parse("-a.b:1@2,3") == Neuron("a.b", 1, (2, 3), -1)
    assert parse_neurons("fc3:0-9") == [Neuron("fc3", i) for i in range(10)]


@pytest.mark.parametrize("text", ["", "fc3", "fc3:", ":4", "fc3:x", "fc3:4@", "fc3:4@1,2,3", "-:"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(StudioError, match="is not a neuron"):
        parse_neurons(text)


class Named(nn.Module):
    """Convolutions with names that have to be minded, and one that is called twice."""

    NAMES = ("3x3:a", "mean@x", "the second", "a#2", "-a", "größe 层", " x", "a:5@1,2")

    def __init__(self) -> None:
        super().__init__()
        for name in self.NAMES:
            self.add_module(name, nn.Conv2d(2, 2, 1))
        self.a = nn.Conv2d(2, 2, 1)
        self.fc = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.NAMES:
            x = self.get_submodule(name)(x)
        return self.fc(self.a(self.a(x)).mean((2, 3)))


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    pixels = PixelSpec(2, 4, 4, (0.5,) * 2, (0.5,) * 2, shown=(0,))
    return Network("named", Named(), pixels, labels=("cat", "3x3:a", "a tie: 16:9"))


def test_every_layer_can_be_addressed_on_the_command_line_and_in_the_search(network):
    index = Index(network)
    # The second call of a keeps out of the way of the module that has its name.
    assert [layer.name for layer in network.layers] == [*Named.NAMES, "a", "a##2", "fc"]
    for layer in network.layers:
        for sign in (1, -1):
            neuron = Neuron(layer.name, 1, sign=sign)
            assert neurons_of([str(neuron)], network) == [neuron]
            found = index.search(str(neuron), "fc")
            assert (found.layer, list(found.neurons), found.addressed) == (layer.name, [1], True)
            assert network.check(Neuron.parse(str(neuron))) == neuron


def test_a_part_of_an_address_finds_its_layer(network):
    index = Index(network)
    for text, layer in (
        ("3x3", "3x3:a"),
        ("3x3:a", "3x3:a"),
        ("3x3:a:", "3x3:a"),
        ("mean@", "mean@x"),
        ("mean@x:1@", "mean@x"),
        ("the second:", "the second"),
        ("-größe 层:", "größe 层"),
        ("a##2", "a##2"),
    ):
        found = index.search(text, "fc")
        assert layer in (found.layers or ()), text
        assert found.problem == "", text


def test_names_of_classes_that_look_like_addresses_are_classes(network):
    assert neurons_of(["a tie: 16:9", "-3x3:a"], network) == [
        Neuron("fc", 2),
        Neuron("fc", 1, sign=-1),
    ]
    with pytest.raises(StudioError, match="has no layer 'a tie'"):
        network.check(neurons_of(["a tie:9"], network)[0])


def test_each_call_has_its_own_value(network):
    x = torch.rand(2, 2, 4, 4)
    module, inside = network.module, network.normalise(x)
    with torch.no_grad():
        for name in Named.NAMES:
            inside = module.get_submodule(name)(inside)
        once = module.a(inside)
        for name, output in (("a#2", None), ("a", once), ("a##2", module.a(once))):
            found = network.output(x, name)
            if output is not None:
                torch.testing.assert_close(found, output)


def test_only_a_sign_in_front_is_taken_off():
    texts = ("-fc3:4", "+-a:0", "-black-footed ferret", "black-footed ferret", "fc3:-1", "")
    left = ["fc3:4", "-a:0", "black-footed ferret", "black-footed ferret", "fc3:-1", ""]
    assert [unsigned(text) for text in texts] == left
