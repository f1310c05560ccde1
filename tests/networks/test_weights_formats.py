"""Whatever a training wrote: the network computes what plain torch computes with those weights."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import io
import json
import pathlib
import pickle
import struct
import tarfile
import types
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.weights import read_saved, sha256_of
from saved_networks import imported, named, opened, same, trained, written


@pytest.fixture
def code(tmp_path, monkeypatch):
    return imported(written(tmp_path), monkeypatch)


@pytest.fixture
def module(code):
    return trained(code.Net())


@pytest.fixture
def net(tmp_path, code):
    return tmp_path / "net.py"


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    folder: pathlib.Path = pathlib.Path("runs")


class EasyDict(dict):
    """A dictionary with attributes, as configurations often are."""


class Early:
    """A class is saved beside the weights as it is, not only an object of it."""


class Recorder:
    def __init__(self):
        self.losses, self.when = np.ones((3, 2)), datetime.datetime(2024, 1, 1)


def more_than_weights(state):
    return {
        "epoch": np.int64(3),
        "best": np.float32(0.5),
        "args": argparse.Namespace(lr=0.1, data=pathlib.PurePosixPath("/data")),
        "config": Config(),
        "cfg": EasyDict(depth=3, inner=EasyDict(width=2)),
        "recorder": Recorder(),
        "counts": Counter("abc"),
        "stopping": [Early(), Early],
        "best_fn": max,
        "seen": defaultdict(list, a=[1]),
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "names": {"a", "b"},
        "frozen": frozenset((1, 2)),
        "space": types.SimpleNamespace(a=1),
        "rng": torch.get_rng_state(),
        "numpy_rng": np.random.RandomState(0).get_state(),
        "complex": 1j,
        "slice": slice(3),
        "state_dict": state,
    }


LEGACY = {"_use_new_zipfile_serialization": False}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("w.pt", {}),
        ("checkpoint.pth.tar", LEGACY),
        ("w.safetensors", {"pickle_protocol": 4}),
        ("best", {"pickle_protocol": 5}),
        ("w.png", LEGACY | {"pickle_protocol": 4}),
    ],
)
def test_checkpoints_with_more_in_them_open(net, module, tmp_path, name, options):
    path = tmp_path / name
    torch.save(more_than_weights(module.state_dict()), path, **options)
    same(opened(net, path), module)


def as_lists(module, path):
    torch.save((module.state_dict(), {"lr": 3}), path)


def pairs(module, path):
    torch.save(list(module.state_dict().items()), path)


def names_of_python_2(module, path):
    torch.save({n.encode(): v for n, v in module.state_dict().items()}, path)


def moving_average(module, path):
    """An object with the averages in a dictionary of its own, beside the network."""
    average = Recorder()
    average.shadow = {n: v for n, v in module.state_dict().items() if v.ndim}
    torch.save({"ema": average, "epoch": 3}, path)


def whole_parallel(module, path):
    torch.save(torch.nn.DataParallel(module), path)


def averaged(module, path):
    torch.save({"swa": torch.optim.swa_utils.AveragedModel(module)}, path)


def nested(module, path):
    torch.save({"run": {"parts": {"network": {"best": module.state_dict()}}}}, path)


def trainer(module, path):
    """An object that holds the network, as a library pickles it."""
    holder = Recorder()
    holder.inner = argparse.Namespace(network=module)
    torch.save(holder, path)


def plain_pickle(module, path):
    path.write_bytes(pickle.dumps({"state": module.state_dict()}))


def arrays(module, path):
    state = {name: value.numpy() for name, value in module.state_dict().items()}
    path.write_bytes(pickle.dumps({"model": state, "__author__": "someone"}, protocol=2))


def fortran(module, path):
    state = {n: np.asfortranarray(v.numpy()) for n, v in module.state_dict().items()}
    path.write_bytes(pickle.dumps(state, protocol=5))


def zipped_arrays(module, path):
    file = io.BytesIO()
    np.savez_compressed(file, **{n: v.numpy() for n, v in module.state_dict().items()})
    path.write_bytes(file.getvalue())


def strided(module, path):
    """Views of one long tensor, some of them transposed and channels last."""
    state = module.state_dict()
    flat = torch.cat([value.float().flatten() for value in state.values()])
    parts = flat.split([value.numel() for value in state.values()])
    views = {n: p.view(v.shape) for p, (n, v) in zip(parts, state.items(), strict=True)}
    views["fc.weight"] = state["fc.weight"].T.contiguous().T
    views["conv1.weight"] = state["conv1.weight"].to(memory_format=torch.channels_last)
    torch.save(views, path)


def subclasses(module, path):
    class Named(torch.nn.Parameter):
        pass

    state = {n: torch.nn.Parameter(v) for n, v in module.state_dict().items() if v.ndim}
    state["fc.bias"].note = "tensors may have attributes"
    torch.save(state, path)


def script(module, path):
    torch.jit.trace(module, torch.zeros(1, 1, 12, 12)).save(str(path))


def numbered(module, path):
    torch.save({3: {"weights": module.state_dict()}, 4: "text"}, path)


WAYS = (
    pairs,
    names_of_python_2,
    moving_average,
    as_lists,
    whole_parallel,
    averaged,
    nested,
    trainer,
    plain_pickle,
    arrays,
    fortran,
)
WAYS += (zipped_arrays, strided, subclasses, script, numbered)


@pytest.mark.filterwarnings("ignore")  # torch's own, about scripts
@pytest.mark.parametrize("save", WAYS, ids=lambda save: save.__name__)
def test_whatever_was_saved_opens(net, module, tmp_path, save):
    save(module, tmp_path / "saved")
    same(opened(net, tmp_path / "saved"), module)


@pytest.mark.parametrize("options", [{}, LEGACY])
def test_a_whole_model_opens_in_half_precision_as_torch_loads_it(
    net, code, module, tmp_path, options
):
    torch.save({"model": None, "ema": module.half(), "updates": 3}, tmp_path / "last.pt", **options)
    right = code.Net()
    right.load_state_dict(module.state_dict())
    same(opened(net, tmp_path / "last.pt"), right)


def test_buffers_that_torch_does_not_save_are_not_taken_from_a_whole_model(tmp_path, monkeypatch):
    path = written(
        tmp_path,
        "class Masked(Net):\n    def __init__(self):\n        super().__init__()\n"
        "        self.register_buffer('mask', torch.ones(7), persistent=False)\n",
    )
    masked = trained(imported(path, monkeypatch).Masked())
    masked.mask = torch.zeros(3)
    torch.save(masked, tmp_path / "whole.pt")
    same(opened(path, tmp_path / "whole.pt", "Masked"), masked)
    assert "mask" not in read_saved(tmp_path / "whole.pt")[0]


def test_numbers_of_every_kind_are_what_torch_loads(tmp_path):
    kinds = ("float64", "bfloat16", "float8_e4m3fn", "complex64", "bool", "int8", "uint16")
    values = {k: torch.arange(6).reshape(2, 3).to(getattr(torch, k)) for k in kinds}
    values |= {"repeated": torch.ones(1).expand(5), "none": torch.zeros(0, 3)}
    values |= {"scalar": torch.tensor(3.0), "part": torch.arange(9)[2:7:2]}
    for options in ({}, LEGACY):
        if options:  # torch itself does not read these in its older format
            del values["float8_e4m3fn"], values["uint16"]
        torch.save(values, tmp_path / "kinds.pt", **options)
        right = torch.load(tmp_path / "kinds.pt", weights_only=True)
        found, _ = read_saved(tmp_path / "kinds.pt")
        for name, value in right.items():
            assert found[name].dtype == value.dtype and found[name].stride() == value.stride()
            torch.testing.assert_close(found[name].cfloat(), value.cfloat(), rtol=0, atol=0)


def test_tied_weights_stay_one_tensor(tmp_path):
    value = torch.arange(4.0)
    torch.save({"a": value, "b": value[1:]}, tmp_path / "tied.pt")
    found, _ = read_saved(tmp_path / "tied.pt")
    assert found["b"].data_ptr() == found["a"].data_ptr() + 4


def test_a_file_from_before_torch_0_2_opens(net, module, tmp_path):
    def stored(value):
        return pickle.dumps(value, protocol=2)

    class Storage:
        """Pickled as the name of a class."""

    storages, tensors, names = io.BytesIO(), io.BytesIO(), OrderedDict()
    state = {name: value.float() for name, value in module.state_dict().items()}
    storages.write(stored(len(state)))
    tensors.write(stored(len(state)))
    kind = b"ctorch\nFloatStorage\n"
    for number, (name, value) in enumerate(state.items(), 1):
        storages.write(b"\x80\x02(K%cU\x03cpu%st." % (number, kind))
        storages.write(struct.pack("<q", value.numel()) + value.numpy().tobytes())
        tensors.write(b"\x80\x02(K%cK%cctorch\nFloatTensor\nt." % (100 + number, number))
        form = f"<ii{value.ndim}q{value.ndim}qq"
        tensors.write(struct.pack(form, value.ndim, 0, *value.shape, *value.stride(), 0))
        names[name] = 100 + number
    storages.write(stored([]))
    pickled = io.BytesIO()

    class Saved(int):
        pass

    pickler = pickle.Pickler(pickled, protocol=2)
    pickler.persistent_id = lambda what: int(what) if isinstance(what, Saved) else None
    pickler.dump({"model": {name: Saved(at) for name, at in names.items()}})
    with tarfile.open(tmp_path / "old.pth", "w") as tar:
        parts = {"sys_info": stored({}), "pickle": pickled.getvalue()}
        parts |= {"tensors": tensors.getvalue(), "storages": storages.getvalue()}
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    same(opened(net, tmp_path / "old.pth"), module)


# -- shards ---------------------------------------------------------------------------------------


def shards(folder, state, form):
    folder.mkdir()
    names, half = list(state), len(state) // 2
    where = {}
    for number, part in enumerate((names[:half], names[half:]), 1):
        file = f"model-{number:05}-of-00002.{form}"
        own = {name: state[name] for name in part}
        save_file(own, folder / file) if form == "safetensors" else torch.save(own, folder / file)
        where |= dict.fromkeys(part, file)
    index = folder / f"model.{form}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 3}, "weight_map": where}))
    return index


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_shards_open_as_one_file(net, module, tmp_path, form):
    index = shards(tmp_path / "hub", named("model.", module.state_dict()), form)
    network = opened(net, index)
    same(network, module)
    assert network.sha256 == sha256_of(index)
    # The folder is as good as the index in it.
    assert opened(net, index.parent).weights == index
    (tmp_path / "hub" / f"model-00002-of-00002.{form}").unlink()
    with pytest.raises(StudioError, match=r"There is no file .*00002-of-00002"):
        opened(net, index)


def test_shards_are_one_checkpoint_of_a_training_that_is_watched(net, code, module, tmp_path):
    from ldam_studio.engine.watching.reader import take
    from ldam_studio.networks.weights.checkpoint_folder import Folder

    for step, seed in ((1, 1), (2, 5)):
        folder = tmp_path / "run" / f"checkpoint-{step}"
        folder.parent.mkdir(exist_ok=True)
        shards(folder, trained(code.Net(), seed).state_dict(), "safetensors")
    network = opened(net, tmp_path / "run" / "checkpoint-1")
    found = Folder(tmp_path / "run", now=lambda: 1e12).look()
    indices = [c for c in found.checkpoints if c.path.name.endswith(".index.json")]
    assert len(indices) == 2
    same(take(network, indices[-1:]), trained(code.Net(), 5))


@pytest.mark.parametrize("name", ["../out.bin", "/etc/passwd", "a/b.bin", "", "..", "C:x", "a\\b"])
def test_an_index_that_names_other_places_is_refused(net, tmp_path, name):
    torch.save({"a": torch.ones(2)}, tmp_path.parent / "out.bin")
    index = tmp_path / "x.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(StudioError, match="names files outside of its own folder"):
        opened(net, index)


def test_a_shard_that_lacks_what_the_index_says_is_one_sentence(net, module, tmp_path):
    index = shards(tmp_path / "hub", module.state_dict(), "bin")
    torch.save({"other": torch.ones(2)}, tmp_path / "hub" / "model-00001-of-00002.bin")
    with pytest.raises(StudioError, match=r"00002\.bin lacks weights that model.bin.index.json"):
        opened(net, index)


def test_a_part_stands_for_all_parts_and_a_folder_for_its_file(net, module, tmp_path):
    shards(tmp_path / "hub", module.state_dict(), "safetensors")
    same(opened(net, tmp_path / "hub" / "model-00002-of-00002.safetensors"), module)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(StudioError, match="has no weights file"):
        opened(net, other)
    torch.save(module.state_dict(), other / "pytorch_model.bin")
    network = opened(net, other)
    same(network, module)
    assert network.weights == other / "pytorch_model.bin"
    for name in ("a.safetensors", "b.safetensors"):
        save_file(module.state_dict(), other / name)
    with pytest.raises(StudioError, match=r"several weights files, such as a\.safe.*; name one"):
        opened(net, other)


# -- what is no file of weights -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!doctype html>", "is a web page"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"\x1f\x8b\x08", "is compressed with gzip"),
        (b"epoch,loss\n1,2\n", "is not a weights file"),
        (b"{}", "is not a weights file"),
        (b"", "is empty"),
        (pickle.dumps(3), "does not contain a state dict"),
        (pickle.dumps(["a"]), "does not contain a state dict"),
    ],
)
def test_other_files_are_named(net, tmp_path, content, says):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(StudioError, match=says):
        opened(net, tmp_path / "w.pt")


def test_save_model_leaves_out_tied_weights_and_they_are_not_missing(tmp_path, monkeypatch):
    path = written(
        tmp_path,
        "class Tied(Net):\n    def __init__(self):\n        super().__init__()\n"
        "        self.again = nn.Linear(6, 5)\n        self.again.weight = self.fc.weight\n"
        "    def forward(self, x):\n"
        "        y = F.relu(self.conv2(F.relu(self.bn1(self.conv1(x))))).mean((2, 3))\n"
        "        return self.fc(y) + self.again(y)\n",
    )
    tied = trained(imported(path, monkeypatch).Tied())
    save_model(tied, str(tmp_path / "tied.safetensors"))
    assert len(read_saved(tmp_path / "tied.safetensors")[0]) < len(tied.state_dict())
    same(opened(path, tmp_path / "tied.safetensors", "Tied"), tied)
