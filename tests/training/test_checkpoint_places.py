"""Where trainings put checkpoints: every usual name and folder, told by content."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.checkpoint_folder import STILL_S, Folder, check_kind
from ldam_studio.networks.weights.checkpoints import read_checkpoint
from ldam_studio.training import CheckpointWriter

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "own-networks"


def weights(value: float = 1.0, **options: bool) -> bytes:
    linear = nn.Linear(2, 1)
    nn.init.constant_(linear.weight, value)
    file = io.BytesIO()
    torch.save({"epoch": 3, "state_dict": linear.state_dict()}, file, **options)
    return file.getvalue()


def look(place: Path):
    """List a place whose files were all written long ago."""
    return Folder(place, clock=lambda: 0.0, now=lambda: 1e12).look()


def leave(folder: Path, *names: str, data: bytes | None = None) -> list[Path]:
    """Write files, each a second after the one before."""
    paths = [folder / name for name in names]
    for at, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(weights() if data is None else data)
        os.utime(path, (1000 + at, 1000 + at))
    return paths


def names(found, folder: Path) -> list[str]:
    return [str(checkpoint.path.relative_to(folder)) for checkpoint in found]


@pytest.mark.parametrize(
    "name",
    "a.pt a.pth a.ckpt a.bin a.tar a.pth.tar a.t7 a.th a.PT a.pkl a.model a.weights a.state a "
    "model_final a.0012 epoch-3".split(),
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_weights_are_known_by_their_content(tmp_path, name, zipped):
    data = weights(_use_new_zipfile_serialization=zipped)
    leave(tmp_path, name, data=data)
    listing = look(tmp_path)
    assert names(listing.checkpoints, tmp_path) == [name] and not listing.skipped
    saved, _ = read_checkpoint(listing.checkpoints[0])
    assert saved["state_dict"]["weight"].tolist() == [[1, 1]]
    check_kind(tmp_path / name)


@pytest.mark.parametrize("name", ["a.safetensors", "a.sft", "weights", "a.bin"])
def test_safetensors_are_known_by_their_content(tmp_path, name):
    leave(tmp_path, name, data=save({"weight": torch.ones(2, 3)}))
    (found,) = look(tmp_path).checkpoints
    assert found.shapes == (("weight", (2, 3)),)


ORDERS = {
    "steps": ["m_9.pt", "m_10.pt", "m_100.pt"],
    "two suffixes": ["checkpoint-3.pth.tar", "checkpoint-20.pth.tar"],
    "numbers as suffixes": ["model.9", "model.10"],
    "hugging face": [
        "checkpoint-500/model.safetensors",
        "checkpoint-1000/pytorch_model.bin",
        "checkpoint-1500/model.safetensors",
    ],
    "lightning": [
        "version_0/checkpoints/epoch=3-step=400.ckpt",
        "version_0/checkpoints/epoch=10-step=1100.ckpt",
        "version_2/checkpoints/epoch=0-step=100.ckpt",
        "version_10/checkpoints/epoch=0-step=90.ckpt",
    ],
    "steps that begin anew in each epoch": ["epoch_1_iter_500.pth", "epoch_2_iter_100.pth"],
    "runs": ["run9/step10.pt", "run10/step2.pt", "run10/step9.pt", "run10/step10.pt"],
    "folders of steps in a run": ["a/step_9/weights.pt", "a/step_80/weights.pt"],
}


@pytest.mark.parametrize("kind", ORDERS)
def test_checkpoints_come_in_the_order_of_the_training(tmp_path, kind):
    right = ORDERS[kind]
    for name in reversed(right):  # the dates say the opposite
        data = save({"w": torch.ones(1)}) if name.endswith("safetensors") else None
        leave(tmp_path, name, data=data)
    assert names(look(tmp_path).checkpoints, tmp_path) == right


def test_the_folder_of_a_checkpoint_says_its_step(tmp_path):
    leave(tmp_path, "checkpoint-500/model.safetensors", data=save({"w": torch.ones(1)}))
    (found,) = look(tmp_path).checkpoints
    assert (found.step, found.epoch) == (500, None)


def test_what_has_no_number_comes_where_it_was_written(tmp_path):
    order = ["step_1.pt", "step_2.pt", "best.pt", "step_3.pt", "last.pt", "step_10.pt"]
    leave(tmp_path, *order)
    listing = look(tmp_path)
    assert names(listing.checkpoints, tmp_path) == order
    found = {c.path.name: c for c in listing.checkpoints}
    assert found["best.pt"].step is None and found["best.pt"].after == (-1, 2)


PASSED = {
    "optimizer.pt": "state of the training",
    "scheduler.pt": "state of the training",
    "rng_state_0.pth": "state of the training",
    "training_args.bin": "state of the training",
    "random_states_0.pkl": "state of the training",
    "model-00001-of-00003.safetensors": "only a part of a network",
    "averaged/step_1.pt": "moving average beside step_1.pt",
    "model.h5": "HDF5",
    "model.tar.gz": "compressed with gzip",
    "page.pt": "web page",
    "pointer.safetensors": None,
    "pointer.bin": "pointer of Git LFS",
    "empty.pt": "is empty",
    "cut.pt": "cut short",
    "cut": "cut short",
    "pictures.zip": "archive without weights",
    "notes": "not a weights file",
}


def content(name: str) -> bytes:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.png", b"picture")
    return {
        "model.h5": b"\x89HDF\r\n\x1a\n" + 300 * b"\0",
        "model.tar.gz": b"\x1f\x8b\x08" + 300 * b"\0",
        "page.pt": b"<html><body>404</body></html>",
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "pointer.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "empty.pt": b"",
        "cut.pt": weights()[:-30],
        "cut": weights()[:-30],
        "pictures.zip": zipped.getvalue(),
        "notes": b"learning rate 0.1",
    }.get(name, weights())


@pytest.mark.parametrize("name", PASSED)
def test_what_is_passed_over_is_listed_with_its_reason(tmp_path, name):
    leave(tmp_path, "step_1.pt")
    leave(tmp_path, name, data=content(name))
    listing = look(tmp_path)
    assert names(listing.checkpoints, tmp_path) == ["step_1.pt"]
    ((path, reason),) = listing.skipped.items()
    assert path == tmp_path / name
    assert (PASSED[name] or "not a safetensors file") in reason


def test_links_to_listed_files_are_passed_over(tmp_path):
    leave(tmp_path, "epoch_3.pth")
    (tmp_path / "latest.pth").symlink_to("epoch_3.pth")
    (tmp_path / "run").symlink_to(tmp_path)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere.pt"
    elsewhere.write_bytes(weights())
    (tmp_path / "fresh.pt").symlink_to(elsewhere)
    listing = look(tmp_path)
    assert set(names(listing.checkpoints, tmp_path)) == {"epoch_3.pth", "fresh.pt"}
    assert listing.skipped == {tmp_path / "latest.pth": "is a link to epoch_3.pth"}


def test_what_lies_beside_checkpoints_is_counted_apart(tmp_path):
    leave(tmp_path, "log.txt", "config.yaml", "events.out.tfevents.17.host", "samples/1.png")
    leave(tmp_path, ".git/objects/a.pt", "__pycache__/net.pyc")
    os.mkfifo(tmp_path / "pipe.pt")
    listing = look(tmp_path)
    assert not listing.checkpoints and not listing.skipped
    assert len(listing.others) == 4


def test_a_pickle_without_torch_is_a_matter_for_its_reader(tmp_path):
    leave(tmp_path, "plain.pkl", data=pickle.dumps({"w": 1}))
    assert names(look(tmp_path).checkpoints, tmp_path) == ["plain.pkl"]


class Clock:
    seconds = 0.0

    def folder(self, place: Path) -> Folder:
        return Folder(place, clock=lambda: self.seconds, now=lambda: 0.0)


@pytest.mark.parametrize("name", ["weights", "a.pth.tar", "checkpoint-5/pytorch_model.bin"])
def test_a_file_is_waited_for_whatever_its_name(tmp_path, name):
    clock, path = Clock(), tmp_path / name
    path.parent.mkdir(exist_ok=True)
    watched, data = clock.folder(tmp_path), weights()
    path.write_bytes(data[:100])
    listing = watched.look()
    assert not listing.checkpoints and not listing.skipped
    path.write_bytes(data)
    assert not watched.look(thorough=False).checkpoints
    clock.seconds += 10 * STILL_S
    assert names(watched.look(thorough=False).checkpoints, tmp_path) == [name]


def test_a_quick_look_notices_what_comes_in_any_folder(tmp_path):
    leave(tmp_path, "checkpoint-1/model.pt")
    watched = Folder(tmp_path, clock=lambda: 0.0, now=lambda: 1e12)
    watched.look()
    for folder in (tmp_path, tmp_path / "checkpoint-1"):
        os.utime(folder, ns=(1, 1))  # a folder's clock is coarse
    watched.look()
    assert watched.look(thorough=False) is watched.look(thorough=False)
    leave(tmp_path, "checkpoint-2/model.pt")
    assert len(watched.look(thorough=False).checkpoints) == 2
    shutil.rmtree(tmp_path / "checkpoint-1")
    assert len(watched.look(thorough=False).checkpoints) == 1


def test_a_single_file_of_any_name_is_watched_while_it_is_replaced(tmp_path):
    (path,) = leave(tmp_path, "weights")
    watched = Folder(path, clock=lambda: 0.0, now=lambda: 1e12)
    assert len(watched.look().checkpoints) == 1
    path.unlink()
    assert watched.look().checkpoints == ()
    leave(tmp_path, "weights")
    assert len(watched.look().checkpoints) == 1


def test_a_file_that_is_none_cannot_be_watched(tmp_path):
    (path,) = leave(tmp_path, "notes.txt", data=b"learning rate")
    with pytest.raises(StudioError, match=r"notes.txt is not a checkpoint: it is not a w"):
        check_kind(path)
    check_kind(leave(tmp_path, "half.pt", data=b"PK\x03\x04")[0])


def test_the_averages_beside_the_studio_s_own_checkpoints_are_not_listed_twice(tmp_path):
    writer = CheckpointWriter(tmp_path, average=10)
    module = nn.Linear(2, 1)
    writer.average_in(module)
    path = writer.write(module, step=1)
    listing = look(tmp_path)
    assert [c.path for c in listing.checkpoints] == [path]
    assert list(listing.skipped.values()) == [f"is the moving average beside {path.name}"]


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_checkpoints_with_two_suffixes_are_seen():
    listing = look(CASES / "watch" / "w2-pth-tar")
    assert {c.path.name: c.step for c in listing.checkpoints} == {
        "checkpoint-3.pth.tar": 3,
        "checkpoint.pth.tar": None,
        "model_best.pth.tar": None,
    }
    for checkpoint in listing.checkpoints:
        assert "state_dict" in read_checkpoint(checkpoint)[0]


def test_odd_digits_and_links_to_themselves_do_not_hide_the_others(tmp_path):
    leave(tmp_path, "run\u00b2/a.pt", "\u00b3.pt", "epoch1.pt")
    if os.name == "posix":
        (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    found = look(tmp_path).checkpoints
    assert {"run\u00b2/a.pt", "\u00b3.pt", "epoch1.pt"} == set(names(found, tmp_path))


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":[' + b"[]," * 500_000 + b"[]]}",
        b"{" + b",".join(b'"%d":{}' % number for number in range(10)) + b"}",
        b'{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,0]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}',
        b"{" + b",".join(b'"%d":{}' % number for number in range(1_000_001)) + b"}",
    ],
    ids=["lists", "without offsets", "infinite", "half an offset", "very many"],
)
def test_a_header_that_describes_no_tensors_is_passed_over(tmp_path, header):
    data = len(header).to_bytes(8, "little") + header
    leave(tmp_path, "a.safetensors", data=data)
    (said,) = look(tmp_path).skipped.values()
    assert said in ("is not a safetensors file", "holds more tensors than a network has")


def test_an_index_that_is_much_too_large_is_not_read(tmp_path):
    (index,) = leave(tmp_path, "model.safetensors.index.json", data=b"{")
    with open(index, "rb+") as file:
        file.truncate(2**40)
    os.utime(index, (1000, 1000))
    assert look(tmp_path).skipped == {index: "cannot be read"}
