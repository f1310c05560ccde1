"""Opening networks that are not the program's own, and finding weights in whatever was saved."""

import json
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.networks.models import lenet, vgg
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.download import fetch
from ldam_studio.networks.sources.opening import (
    Options,
    fingerprint,
    open_network,
)
from ldam_studio.networks.weights.names import spellings
from ldam_studio.networks.weights.state_dicts import best_match, classes_in

SMALL = PixelSpec(3, 16, 16, (0.5,) * 3, (0.25,) * 3, rest=0.5)


def small(classes=5):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, classes),
        )


FACTORIES = """
import torch
from torch import nn

def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(784, 5))

def with_pixels():
    module = plain()
    module.pixels = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)
    return module

def and_pixels():
    return plain(), dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)

class Tuples(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Conv2d(3, 3, 3, padding=1)
        self.pair = Pair()
        self.head = nn.Linear(3, 7)
    def forward(self, x):
        x = self.shared(torch.relu(self.shared(x)))
        a, _ = self.pair(x)
        return {"logits": torch.log_softmax(self.head(a.mean((2, 3))), 1)}

class Pair(nn.Module):
    def forward(self, x):
        return x.relu_(), 3

def tuples():
    return Tuples()

def raising():
    raise ValueError("no luck")

def asking(size):
    return plain()

def number():
    return 3

def nothing_out():
    class Void(nn.Module):
        def forward(self, x):
            return None
    return Void()
"""


@pytest.fixture
def factories(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FACTORIES)
    return path


def prefixed(prefix, state, more=0):
    return {prefix + name: value + more for name, value in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {f"module.{n}": t for n, t in state.items()}},
        lambda state: {"state_dict": {f"_orig_mod.module.{n}": t for n, t in state.items()}},
        lambda state: {"ema": {n: t + 1 for n, t in state.items()}, "model": state},
        lambda state: {"n_averaged": torch.tensor(3)} | prefixed("module.", state),
        lambda state: prefixed("ema_model.", state, 1) | prefixed("online_model.", state),
        lambda state: {"state_dict_ema": prefixed("student.body.", state)},
        lambda state: (
            {"model": prefixed("teacher.", {"0.weight": state["0.weight"]})}
            | {"state_dict": prefixed("student.", state)}
        ),
    ],
    ids=[
        *("plain", "nested", "prefixed", "two prefixes", "beside an average"),
        *("an average alone", "two prefixes side by side", "any prefix", "beside a part"),
    ],
)
def test_weights_are_found_under_any_name(wrap):
    module = small()
    match = best_match(wrap(module.state_dict()), module, "file")
    assert match.complete
    assert torch.equal(match.state["5.weight"], module[5].weight)


def test_the_number_of_classes_is_read_from_the_weights():
    saved = {"state_dict": {f"module.{n}": t for n, t in small(3).state_dict().items()}}
    assert classes_in(saved, small(5), 5) == 3
    assert classes_in(small(5).state_dict(), small(5), 5) is None


def test_a_file_without_weights_is_named(tmp_path):
    torch.save({"a": 1}, tmp_path / "a.pt")
    with pytest.raises(StudioError, match=r"a\.pt contains no weights"):
        open_network("lenet", tmp_path / "a.pt")


def test_names_of_the_same_weight():
    before = "a." * 400
    assert list(spellings(before + "weight_g")) == [before + "parametrizations.weight.original0"]
    assert list(spellings("parametrizations.weight.0._u")) == ["weight_u"]
    assert list(spellings("parametrizations.weight.original")) == ["weight_orig"]
    assert list(spellings("weight_v")) == [
        "parametrizations.weight.original1",
        "parametrizations.weight.0._v",
    ]
    assert list(spellings("my parametrizations.weight.original.bias")) == []


def test_torchvision_models_open_with_a_fine_tuned_file(tmp_path):
    from torchvision.models import squeezenet1_1

    path = tmp_path / "mine.pt"
    torch.save({"state_dict": squeezenet1_1(num_classes=7).state_dict()}, path)
    network = open_network("torchvision:squeezenet1_1", path)
    assert network.pixels.shape == (3, 224, 224)
    assert network.layers[-1].neurons == 7
    assert network.labels == ()
    again = Opener().network(parse(network.reference, Reference))
    assert again.sha256 == network.sha256
    assert set(network.reference) == {"name", "weights", "sha256"}


def test_labels_and_partial_weights_are_found_again(tmp_path):
    from torchvision.models import squeezenet1_1

    state = squeezenet1_1(num_classes=3).state_dict()
    del state["features.0.bias"]
    path, names = tmp_path / "part.pt", tmp_path / "names.txt"
    torch.save(state, path)
    names.write_text("ant\nbee\ncat\n")
    options = Options(labels=names, partial=True)
    network = open_network("torchvision:squeezenet1_1", path, options)
    again = Opener().network(parse(json.loads(json.dumps(network.reference)), Reference))
    assert again.labels == network.labels == ("ant", "bee", "cat")
    assert fingerprint(again.module) == fingerprint(network.module)
    names.unlink()
    assert Opener().network(parse(network.reference, Reference)).labels == ()


def test_torchvision_models_know_their_input_and_labels():
    network = open_network("torchvision:mobilenet_v3_small", options=Options(untrained=True))
    assert network.labels[1] == "goldfish"
    assert network.pixels.mean == (0.485, 0.456, 0.406)
    assert len(network.default_neurons(4)) == 4


def test_unknown_models_are_one_sentence():
    with pytest.raises(StudioError, match="model 'nosuch'; it has alexnet, convnext…, "):
        open_network("torchvision:nosuch")
    with pytest.raises(StudioError, match="no classification model 'resnet19'; it has resnet18"):
        open_network("torchvision:resnet19")
    with pytest.raises(StudioError, match="no network 'resnet18'"):
        open_network("resnet18")


def test_a_function_of_ones_own_is_opened(factories):
    for name in ("with_pixels", "and_pixels"):
        network = open_network(f"{factories}:{name}")
        assert network.pixels.shape == (3, 16, 16)
    network = open_network(f"{factories}:plain", options=Options(pixels=SMALL))
    assert [layer.name for layer in network.layers] == ["0", "1", "2", "3"]
    assert len(network.sha256) == 64


def test_tuples_shared_modules_and_functional_heads_are_layers(factories):
    network = open_network(f"{factories}:tuples", options=Options(pixels=SMALL))
    assert [(la.name, la.neurons) for la in network.layers] == [
        ("shared", 3),
        ("shared#2", 3),
        ("pair", 3),
        ("head", 7),
        ("output[logits]", 7),
    ]
    x = torch.rand(2, 3, 16, 16)
    inside = network.normalise(x)
    first = network.module.shared(inside)[:, :, 8, 8]
    units = network.units([Neuron("shared", 2), Neuron("shared", 0)])
    torch.testing.assert_close(
        network.activation(x, units), torch.stack([first[0, 2], first[1, 0]])
    )
    torch.testing.assert_close(
        network.output(x, "output[logits]"), network.module(inside)["logits"]
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("raising", "failed .ValueError: no luck."),
        ("asking", "needs the argument size, but is called"),
        ("number", "returned int, not a torch.nn.Module"),
        ("absent", "has no function 'absent'"),
        ("plain", "It is not known which images"),
        ("nothing_out", "has no units to look at"),
    ],
)
def test_a_function_that_does_not_do_is_one_sentence(factories, name, sentence):
    pixels = None if name == "plain" else SMALL
    with pytest.raises(StudioError, match=sentence):
        open_network(f"{factories}:{name}", options=Options(pixels=pixels))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def f():\n    raise RuntimeError('my own fault')", "see line 2 of mine.py"),
        ("def f():\n    return len(3)", "see line 2 of mine.py"),
        ("def g(size): pass\ndef f():\n    return g()", "see line 3 of mine.py"),
        # What a library makes of it lies deeper, and is nobody's to mend.
        ("import json\ndef f():\n    return json.loads('{')", "see line 3 of mine.py"),
    ],
)
def test_a_function_that_fails_is_told_with_its_own_line(tmp_path, code, says):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(StudioError, match=rf"mine\.py:f failed .*; {says}\.$"):
        open_network(f"{tmp_path}/mine.py:f", options=Options(pixels=SMALL))


@pytest.mark.parametrize(
    "code", ["def f(size): pass", "class f:\n    def __init__(self, size): pass"]
)
def test_a_function_that_needs_arguments_is_told_with_them(tmp_path, code):
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(StudioError, match=r"needs the argument size, .* return f\(size=\.\.\.\)"):
        open_network(f"{tmp_path}/mine.py:f", options=Options(pixels=SMALL))


def test_a_file_that_does_not_import_is_one_sentence(tmp_path):
    with pytest.raises(StudioError, match="There is no file"):
        open_network(f"{tmp_path}/none.py:f")
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(StudioError, match=r"cannot be imported .ZeroDivisionError"):
        open_network(f"{tmp_path}/broken.py:f")
    with pytest.raises(StudioError, match="cannot be imported"):
        open_network("no.such.package:f")


PART = """
from torch import nn
print("a line that is no output")
def head():
    return nn.Linear(48, {outputs})
"""
WHOLE = """
from torch import nn
from part import head
def model():
    import part
    module = nn.Sequential(nn.Flatten(), part.head())
    module.pixels = dict(channels=3, height=4, width=4, mean=[0.5] * 3, std=[0.5] * 3)
    return module
"""


def test_code_may_import_what_lies_beside_it_each_folders_own(tmp_path, capsys):
    paths = list(sys.path)
    for folder, outputs in (("one", 3), ("two", 4)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.py").write_text(PART.format(outputs=outputs))
        (tmp_path / folder / "whole.py").write_text(WHOLE)
        network = open_network(f"{tmp_path / folder}/whole.py:model")
        assert network.layers[-1].neurons == outputs
    # What was edited meanwhile is read anew; the length tells Python that it was.
    (tmp_path / "one" / "part.py").write_text(PART.format(outputs=50))
    assert open_network(f"{tmp_path}/one/whole.py:model").layers[-1].neurons == 50
    assert sys.path == paths
    # It stays where typing and copies look it up while the network runs, as the last one read.
    assert sys.modules["part"].__file__ == str(tmp_path / "one" / "part.py")
    assert capsys.readouterr().out == ""


def test_a_function_of_a_package_is_opened_also_from_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "things").mkdir()
    (tmp_path / "part.py").write_text(PART.format(outputs=6))
    (tmp_path / "things" / "nets.py").write_text(WHOLE)
    assert open_network("things.nets:model").layers[-1].neurons == 6
    assert sys.modules["part"].__file__ == str(tmp_path / "part.py")


def test_an_input_that_the_network_does_not_take_names_layer_and_size(factories):
    wrong = PixelSpec(3, 20, 20, (0.5,) * 3, (0.25,) * 3)
    with pytest.raises(
        StudioError,
        match=r"fails on an image of 3 x 20 x 20 in its layer 3 \(Linear\), which is given 1296 ",
    ):
        open_network(f"{factories}:plain", options=Options(pixels=wrong))


def test_a_recipe_does_not_run_code(factories):
    network = open_network(f"{factories}:with_pixels")
    with pytest.raises(StudioError, match="not run just because a file names it"):
        Opener().network(parse(network.reference, Reference))


@pytest.mark.parametrize("name", ["lenet", "torchvision:squeezenet1_1"])
def test_an_untrained_network_is_found_again_until_it_has_weights(name, tmp_path):
    network = open_network(name, options=Options(untrained=True))
    again = Opener().network(parse(network.reference, Reference))
    assert again.sha256 == network.sha256 == fingerprint(again.module)
    assert again.reference == network.reference
    twin = network.twin(network.module.state_dict(), WeightsFile(tmp_path / "a", "0"))
    assert "untrained" not in twin.reference


def test_labels_must_be_as_many_as_outputs(factories, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\ne\n")
    network = open_network(f"{factories}:with_pixels", options=Options(labels=labels))
    assert network.label(network.default_neurons(2)[1]) == "b"
    labels.write_text("a\nb\n")
    with pytest.raises(StudioError, match="has 2 labels, but the network has 5 outputs"):
        open_network(f"{factories}:with_pixels", options=Options(labels=labels))


def test_partial_weights_load_only_when_allowed(factories, tmp_path):
    weights = tmp_path / "part.safetensors"
    save_file({"0.weight": torch.ones(4, 3, 3, 3), "other": torch.ones(2)}, weights)
    with pytest.raises(StudioError, match=r"3 weights are missing .*, 1 weights are unknown"):
        open_network(f"{factories}:with_pixels", weights)
    network = open_network(f"{factories}:with_pixels", weights, Options(partial=True))
    assert bool((network.module[0].weight == 1).all())


def test_what_was_missing_is_noted_and_the_refusal_names_the_flag(factories, tmp_path):
    weights = tmp_path / "part.safetensors"
    save_file({"0.weight": torch.ones(4, 3, 3, 3), "3.bias": torch.ones(9)}, weights)
    with pytest.raises(StudioError, match=r"or take the part that fits \(--partial\)"):
        open_network(f"{factories}:with_pixels", weights)
    network = open_network(f"{factories}:with_pixels", weights, Options(partial=True))
    assert network.provenance.notes == (
        "3 weights are not in part.safetensors, or not in this shape, and keep their "
        "initial values: 0.bias, 3.weight, 3.bias.",
    )
    weights.unlink()
    save_file(network.module.state_dict(), weights)
    assert open_network(f"{factories}:with_pixels", weights).provenance.notes == ()


@pytest.mark.parametrize("name", ["lenet", "vgg"])
def test_built_in_networks_open_with_labels_and_another_number_of_classes(name, tmp_path):
    labels, weights = tmp_path / "names.txt", tmp_path / "seven.pt"
    labels.write_text("\n".join("abcdefg"))
    build = {"lenet": lenet.LeNet5, "vgg": vgg.Vgg}[name]
    torch.save(build(classes=7).state_dict(), weights)
    network = open_network(name, weights)
    assert (network.layers[-1].neurons, network.labels) == (7, ())
    network = open_network(name, weights, Options(labels=labels))
    assert network.labels == tuple("abcdefg")
    assert (
        Opener().network(parse(json.loads(json.dumps(network.reference)), Reference)).labels
        == network.labels
    )
    with pytest.raises(StudioError, match="has 7 labels, but the network has 10 outputs"):
        open_network(name, options=Options(labels=labels))


def test_a_built_in_network_takes_no_input_but_its_own():
    own = open_network("lenet").pixels
    with pytest.raises(StudioError, match=r"lenet takes images of 1 x 28 x 28 .* --input-size"):
        open_network("lenet", options=Options(pixels=SMALL))
    shown = PixelSpec.of(vars(own) | {"shown": (0,)})
    assert open_network("lenet", options=Options(pixels=shown)).pixels.shown == (0,)


@pytest.mark.parametrize(
    "values",
    [
        {"channels": 0},
        {"mean": (0.5,)},
        {"std": (0.0,) * 3},
        {"minimum": 1.0, "maximum": 0.0},
    ],
)
def test_an_impossible_input_is_one_sentence(values):
    good = {"channels": 3, "height": 4, "width": 4, "mean": (0.5,) * 3, "std": (0.2,) * 3}
    with pytest.raises(StudioError):
        PixelSpec.of(good | values)


@pytest.fixture
def server(tmp_path):
    """Serve a folder on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_weights_are_fetched_once_and_their_hash_is_checked(server, tmp_path):
    import hashlib

    folder, url = server
    data = b"weights" * 100_000
    good = f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    for name in (good, "net-00000000.pth"):
        (folder / name).write_bytes(data)
    seen = []
    path = fetch(f"{url}/{good}", lambda had, size: seen.append((had, size)), tmp_path / "cache")
    assert path.read_bytes() == data
    assert seen[-1] == (len(data), len(data))
    (folder / good).unlink()
    assert fetch(f"{url}/{good}", folder=tmp_path / "cache") == path
    with pytest.raises(StudioError, match="was damaged during the download"):
        fetch(f"{url}/net-00000000.pth", folder=tmp_path / "cache")
    with pytest.raises(StudioError, match="was stopped"):
        (folder / good).write_bytes(data)
        fetch(f"{url}/{good}", lambda had, size: False, tmp_path / "other")
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [good]
    assert list((tmp_path / "other").iterdir()) == []


def test_without_a_connection_the_offline_ways_are_named(tmp_path):
    with pytest.raises(StudioError, match="give a weights file"):
        fetch("http://127.0.0.1:9/net.pth", folder=tmp_path)
