"""What a network returns, and how its modules are called, hides none of its layers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.results import parts_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import Options, open_network
from ldam_studio.networks.sources.wrappers import uncompiled
from thinned import one_in

with uncompiled():
    import odd_networks
    from odd_networks import CLASSES, KINDS

FILE = Path(odd_networks.__file__)
UNLISTED = ("parts_in_the_batch",)
each = pytest.mark.parametrize("name", list(KINDS))
# Of scripts, torch says that they are of yesterday.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")


@pytest.fixture
def opened(tmp_path: Path):
    """Open a kind of network, as a person's own code; with a file of labels if it asks for one."""

    def opened(name: str, class_layer: str | None = None) -> Network:
        labels = None
        if KINDS[name].labels:
            labels = tmp_path / "names.txt"
            labels.write_text("".join(f"name {i}\n" for i in range(KINDS[name].labels)))
        options = Options(labels=labels, class_layer=class_layer)
        return open_network(f"{FILE}:{name}", options=options)

    return opened


def images(count: int = 3) -> Tensor:
    return torch.rand((count, 3, 12, 10), generator=torch.Generator().manual_seed(5))


def plain(name: str) -> nn.Module:
    with uncompiled():
        module = KINDS[name].make()
    module = getattr(module, "_orig_mod", module).eval()
    for part in module.modules():
        for child, inner in list(part.named_children()):
            if hasattr(inner, "_orig_mod"):
                setattr(part, child, inner._orig_mod)
    with torch.no_grad():
        module(images(2))  # gives lazy layers their sizes
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def by_hand(module: nn.Module, layer: Layer, x: Tensor) -> Tensor:
    """Return a layer's output for each image alone, (n, *shape), by a hook of plain torch."""
    found = []
    for image in x.split(1):
        calls: list[object] = []
        part = nn.Module.get_submodule(module, layer.path)
        # A copy, because what comes behind may change it in place.
        handle = nn.Module.register_forward_hook(
            part, lambda _m, _i, out, calls=calls: calls.append(_copied(out, layer.part))
        )
        returned = module(image)
        handle.remove()
        value = calls[layer.call - 1] if layer.path else _copied(returned, layer.part)
        if value.ndim == 1 + len(layer.shape):
            value = value.movedim(layer.batch, 0)
        found.append(value.reshape(1, *layer.shape))
    return torch.cat(found)


def _copied(output: object, part: str) -> Tensor | None:
    tensors = dict(parts_of(output))
    if not tensors:
        return None
    return (tensors[part] if part else next(iter(tensors.values()))).clone()


@each
def test_every_layer_is_what_a_hook_sees(opened, name: str):
    network, module = opened(name), plain(name)
    scripted = isinstance(module, torch.jit.ScriptModule)
    ran = [] if scripted else list(dict.fromkeys(_ran(module, images(1))))
    listed = [la.name for la in network.layers if la.path and la.call == 1 and not la.part]
    assert listed == [part for part in ran if part not in network.listing.unlisted]
    assert bool(network.listing.unlisted) == (name in UNLISTED)
    for count in (3, 1):
        for layer in network.layers:
            x = images(count).requires_grad_(True)
            expected = by_hand(module, layer, network.normalise(x))
            again = images(count).requires_grad_(True)
            output = network.output(again, layer.name)
            torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
            weights = torch.linspace(-1, 1, expected.numel()).reshape(expected.shape)
            (slope,) = torch.autograd.grad((expected * weights).sum(), x)
            (gradient,) = torch.autograd.grad((output * weights).sum(), again)
            torch.testing.assert_close(gradient, slope, rtol=1e-3, atol=1e-5)


def _ran(module: nn.Module, x: Tensor) -> list[str]:
    """Return the modules that were called and gave numbers, in the order in which they ended."""
    names: list[str] = []

    def hook(name):
        def note(_module, _inputs, output):
            if any(tensor.is_floating_point() for _, tensor in parts_of(output)):
                names.append(name)

        return note

    handles = [
        nn.Module.register_forward_hook(part, hook(name))
        for name, part in module.named_modules()
        if name and "parametrizations" not in name
    ]
    module(x)
    for handle in handles:
        handle.remove()
    return names


@each
def test_class_neurons_are_what_is_returned(opened, name: str):
    network, kind = opened(name), KINDS[name]
    assert network.class_layer.name == kind.class_layer
    for count in (3, 1):
        x = images(count)
        neurons = [Neuron(kind.class_layer, i % network.class_layer.neurons) for i in range(count)]
        values = network.activation(x, network.units(neurons))
        with torch.no_grad():
            expected = kind.truth(plain(name), network.normalise(x))
            expected = torch.stack([expected[i, n.index] for i, n in enumerate(neurons)])
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", one_in(4, KINDS))
def test_a_picture_is_replayed_to_the_same_pixels(opened, tmp_path: Path, name: str):
    network = opened(name)
    inside = network.spread(network.layers[len(network.layers) // 2].name, 2)
    state = open_session(SessionSpec(network, network.default_neurons(2), device=choose("cpu")))
    for change in ((), (Change("neurons", tuple(map(str, inside))),)):
        state, info = advance(state, change)
        assert not info.refused
        state, _ = advance(state)
    export(state, Shown("raw"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png", Nearby(tmp_path, allow_code=True))
    assert found is not None and found.identical
    assert found.differences == ()


def test_nothing_is_compiled_and_the_compiler_is_not_even_loaded(opened):
    if "torch._dynamo" in sys.modules:
        pytest.skip("another test has loaded it")
    for name in ("compiled", "compiled_inside", "compiled_method", "compiled_in_place"):
        names = [layer.name for layer in opened(name).layers]
        assert not any("_orig_mod" in layer for layer in names)
    assert "torch._dynamo" not in sys.modules


def test_what_a_library_has_compiled_is_run_as_it_is(opened, tmp_path: Path):
    made = torch.compile(KINDS["graph_module"].make())
    file = tmp_path / "mine.py"
    file.write_text("import sys\ndef model():\n    return sys.modules['odd_networks'].MADE\n")
    odd_networks.MADE = made
    network = open_network(f"{file}:model")
    assert [layer.name for layer in network.layers] == ["0", "1", "2.fc"]
    assert network.module is made._orig_mod


def test_what_is_no_layer_is_told(opened):
    notes = " ".join(opened("parts_in_the_batch").provenance.notes)
    assert "conv1 and others are no layers, for want of one output for each image." in notes


# The layer of the classes


def test_without_labels_the_first_output_is_that_of_the_classes():
    network = open_network(f"{FILE}:features_and_logits")
    assert network.listing.outputs == ("output", "fc")
    assert network.class_layer.name == "output"
    assert network.class_layer.neurons == 8


def test_labels_of_another_number_say_which_outputs_there_are(tmp_path: Path):
    labels = tmp_path / "names.txt"
    labels.write_text("ant\nbee\n")
    with pytest.raises(StudioError, match="2 labels, but the network returns 8 in output and 5 in"):
        open_network(f"{FILE}:features_and_logits", options=Options(labels=labels))


def test_any_layer_can_be_chosen_and_is_recorded(opened, tmp_path: Path):
    network = opened("features_and_probabilities", "fc")
    assert network.label(Neuron("fc", 2)) == "name 2"
    assert network.reference["class_layer"] == "fc"
    state = open_session(SessionSpec(network, network.default_neurons(CLASSES)))
    assert {neuron.layer for neuron in state.lane.neurons} == {"fc"}
    with pytest.raises(StudioError, match="has no layer 'fc2'"):
        opened("features_and_probabilities", "fc2")


def test_recipes_of_before_keep_their_classes():
    """A recipe that names no layer of the classes has the one that 0.1.0 took."""
    former = Options(class_layer="")
    for name, layer in (
        ("last_module_three_times", "fc"),
        ("features_and_logits", "output"),
        ("a_module_called_output", "output"),
        ("changed_in_place_at_the_end", "fc"),
    ):
        network = open_network(f"{FILE}:{name}", options=former)
        assert network.class_layer.name == layer
        assert "class_layer" not in network.reference


def test_addresses_with_wrappers_in_them_are_understood():
    network = open_network(f"{FILE}:compiled")
    assert network.check(Neuron("_orig_mod.conv1", 2)) == Neuron("conv1", 2)
    with pytest.raises(StudioError, match="has no layer"):
        network.check(Neuron("_orig_mod.conv3", 2))
