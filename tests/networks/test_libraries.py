"""Networks that torchvision and timm publish: found, built, given their weights."""

import builtins
import hashlib
import importlib.util
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from ldam_studio.cli import main
from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources import opening
from ldam_studio.networks.sources.download import fetch
from ldam_studio.networks.sources.families import find_source
from ldam_studio.networks.sources.family import Published
from ldam_studio.networks.sources.labels import IMAGENET, imagenet_labels
from ldam_studio.networks.sources.opening import (
    Options,
    fingerprint,
    open_network,
)
from ldam_studio.networks.sources.timm import timm_models, timm_source
from ldam_studio.networks.sources.torchvision import torchvision_source
from ldam_studio.networks.weights.state_dicts import renamed

needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="the extra timm is not installed"
)
UNTRAINED = Options(untrained=True)


@pytest.fixture(scope="module", autouse=True)
def _imported():
    # What the libraries warn of when they are imported is nothing to act on here.
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("torchvision.models")
        if importlib.util.find_spec("timm") is not None:
            importlib.import_module("timm")


@needs_timm
@pytest.mark.parametrize(
    ("name", "size", "classes", "tokens"),
    [
        ("resnet10t", (3, 176, 176), 1000, False),
        ("efficientnet_lite0.ra_in1k", (3, 224, 224), 1000, False),
        ("vit_tiny_patch16_224.augreg_in21k", (3, 224, 224), 21843, True),
    ],
)
def test_timms_architectures_open_with_their_own_input(name, size, classes, tokens):
    network = open_network(f"timm:{name}", options=UNTRAINED)
    assert network.pixels.shape == size
    assert network.layers[-1].neurons == classes
    assert any(len(layer.places) == 1 for layer in network.layers) == tokens
    assert len(network.labels) == classes
    if classes == 1000:
        assert network.labels == imagenet_labels()


@needs_timm
def test_timms_input_is_that_of_the_weights_that_are_named():
    assert timm_source("resnet18.a1_in1k").pixels.mean == (0.485, 0.456, 0.406)
    assert timm_source("vit_tiny_patch16_224.augreg_in21k_ft_in1k").pixels.std == (0.5, 0.5, 0.5)
    assert timm_source("efficientnet_b4.ra2_in1k").pixels.shape == (3, 320, 320)


@pytest.mark.thorough
@needs_timm
def test_a_fine_tuned_file_opens_with_its_number_of_classes(tmp_path):
    import timm

    path = tmp_path / "mine.safetensors"
    save_file(timm.create_model("mobilenetv3_small_050", num_classes=7).state_dict(), path)
    network = open_network("timm:mobilenetv3_small_050", path)
    assert network.layers[-1].neurons == 7
    assert network.labels == ()
    assert Opener().network(parse(network.reference, Reference)).sha256 == network.sha256


@needs_timm
def test_published_weights_are_fetched_and_read_without_running_code(tmp_path, monkeypatch):
    import timm

    torch.manual_seed(4)
    module = timm.create_model("mobilenetv3_small_050")
    file = tmp_path / "published.safetensors"
    save_file(module.state_dict(), file)
    asked = []

    def fetched(url, on_bytes, file_name):
        asked.append((url, file_name))
        return file

    monkeypatch.setattr(opening, "fetch", lambda url, on_bytes, file: fetched(url, on_bytes, file))
    network = open_network("timm:mobilenetv3_small_050.lamb_in1k")
    ((url, name),) = asked
    assert url.endswith("timm/mobilenetv3_small_050.lamb_in1k/resolve/main/model.safetensors")
    assert name == "timm-mobilenetv3_small_050.lamb_in1k-model.safetensors"
    assert network.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert torch.equal(network.module.classifier.weight, module.classifier.weight)
    save_file({"other": torch.ones(2)}, file)
    with pytest.raises(StudioError, match=r"published weights .* do not fit timm:mobilenetv3"):
        open_network("timm:mobilenetv3_small_050.lamb_in1k")


@needs_timm
def test_weights_that_the_hub_keeps_already_are_used(tmp_path, monkeypatch):
    import huggingface_hub

    kept = tmp_path / "kept.safetensors"
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: str(kept))
    published = timm_source("resnet18").published
    assert isinstance(published, Published)
    assert published.here == kept


@needs_timm
def test_unknown_models_of_timm_are_one_sentence():
    with pytest.raises(StudioError, match=r"timm has no model 'resnet19'; it has resnet1"):
        open_network("timm:resnet19")
    with pytest.raises(StudioError, match=r"timm has no model 'resnet18\.none'"):
        open_network("timm:resnet18.none")
    assert "resnet18.a1_in1k" in timm_models()


@needs_timm
def test_the_dialog_lists_the_models_of_both():
    from ldam_studio.gui.network_dialog.source import list_models

    names = list_models()
    assert names[0] == "alexnet"
    assert "timm:resnet18.a1_in1k" in names


def test_without_timm_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert main(["info", "--network", "timm:resnet18"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "needs the extra timm" in said and "ldam-studio[timm]" in said


def test_a_timm_that_does_not_import_is_one_sentence(monkeypatch):
    real = builtins.__import__

    def broken(name, *args, **keywords):
        if name == "timm":
            raise RuntimeError("operator torchvision::nms does not exist\nand more")
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(
        StudioError, match=r"timm cannot be imported .RuntimeError: operator .* exist."
    ):
        timm_source("resnet18")


def test_weights_that_do_not_say_of_which_version_they_are(tmp_path):
    from torchvision.models import mnasnet0_5

    save_file(mnasnet0_5(num_classes=3).state_dict(), tmp_path / "mnasnet.safetensors")
    network = open_network("torchvision:mnasnet0_5", tmp_path / "mnasnet.safetensors")
    assert network.layers[-1].neurons == 3


@pytest.mark.parametrize(
    ("model", "now", "before"),
    [
        ("vit_b_32", r"(encoder_layer_\d+\.mlp)\.0\.", r"\1.linear_1."),
        ("vit_b_32", r"(encoder_layer_\d+\.mlp)\.3\.", r"\1.linear_2."),
        ("densenet121", r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2."),
    ],
)
def test_files_with_names_from_before_have_those_of_now(model, now, before):
    source = torchvision_source(model)
    with torch.device("meta"):
        state = source.build(None).state_dict()
    old = {re.sub(now, before, name): value for name, value in state.items()}
    assert set(old) != set(state)
    for saved in (old, state):
        nested = renamed({"state_dict": saved, "epoch": 3}, source.new_name)
        assert nested == {"state_dict": state, "epoch": 3}


@pytest.mark.thorough
def test_a_fine_tuned_file_may_lack_heads_that_are_there_for_training_alone(tmp_path):
    from torchvision.models import googlenet

    path = tmp_path / "mine.pt"
    module = googlenet(num_classes=4, aux_logits=False, init_weights=False)
    torch.save(module.state_dict(), path)
    network = open_network("torchvision:googlenet", path)
    assert network.layers[-1].neurons == 4
    del module.fc
    torch.save(module.state_dict(), path)
    with pytest.raises(StudioError, match=r"2 weights are missing \(the first is fc\.weight\)"):
        open_network("torchvision:googlenet", path)


def test_imagenets_names_are_torchvisions():
    from torchvision.models import ResNet18_Weights

    assert list(imagenet_labels()) == ResNet18_Weights.DEFAULT.meta["categories"]


def test_imagenets_names_for_a_network_of_ones_own(tmp_path):
    code = tmp_path / "mine.py"
    code.write_text(
        "from torch import nn\n"
        "def model(classes=1000):\n"
        "    module = nn.Sequential(nn.Flatten(), nn.Linear(48, classes))\n"
        "    module.pixels = dict(channels=3, height=4, width=4, mean=[0.5] * 3, std=[0.5] * 3)\n"
        "    return module\n"
        "def ten():\n"
        "    return model(10)\n"
    )
    network = open_network(f"{code}:model", options=Options(labels=Path("imagenet")))
    assert network.label(network.default_neurons(2)[1]) == "goldfish"
    assert network.reference["labels"] == "imagenet"
    again = Opener(allow_code=True).network(parse(network.reference, Reference))
    assert again.labels == network.labels
    with pytest.raises(
        StudioError, match=r"imagenet has 1000 labels, but the network has 10 outputs"
    ):
        open_network(f"{code}:ten", options=Options(labels=IMAGENET))
    with pytest.raises(StudioError, match=r"labels none\.txt cannot be read"):
        open_network(f"{code}:model", options=Options(labels=Path("none.txt")))


@pytest.fixture
def hub():
    """Serve one file as a hub does: by redirection, with its SHA-256 sent along."""
    data = save({"weight": torch.ones(3)})
    promised = [hashlib.sha256(data).hexdigest()]

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            first = self.path.startswith("/resolve")
            self.send_response(302 if first else 200)
            if first:
                self.send_header("Location", "/stored")
                self.send_header("X-Linked-ETag", f'"{promised[0]}"')
            self.send_header("Content-Length", "0" if first else str(len(data)))
            self.end_headers()
            if not first:
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/resolve/model.safetensors", data, promised
        http.shutdown()
        thread.join()


def test_the_hash_that_a_hub_sends_along_is_checked(hub, tmp_path):
    url, data, promised = hub
    path = fetch(url, folder=tmp_path, file="timm-a-model.safetensors")
    assert path == tmp_path / "timm-a-model.safetensors"
    assert path.read_bytes() == data
    promised[0] = "0" * 64
    with pytest.raises(
        StudioError, match=r"timm-b-model\.safetensors was damaged during the download"
    ):
        fetch(url, folder=tmp_path, file="timm-b-model.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["timm-a-model.safetensors"]


@needs_timm
def test_untrained_starts_are_the_same_each_time():
    first, again = (open_network("timm:resnet10t", options=UNTRAINED) for _ in range(2))
    assert fingerprint(first.module) == fingerprint(again.module)


def test_vision_transformers_are_built_for_the_images_that_their_weights_take(monkeypatch):
    from torchvision import models

    built = {}

    def get_model(name, *, weights, **options):
        built[name] = options["image_size"]
        return torch.nn.Identity()

    monkeypatch.setattr(models, "get_model", get_model)
    names = [name for name in models.list_models(module=models) if name.startswith("vit_")]
    for name in names:
        source = find_source(f"torchvision:{name}")
        source.build(None)
        assert source.pixels is not None
        assert built[name] == source.pixels.height == source.pixels.width
    assert len(set(built.values())) > 1  # the largest one takes larger images
