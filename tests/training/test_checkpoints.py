"""Checkpoints: what a training loop writes, and what is made of a folder of them."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import torch
from torch import nn

from folders import at_rest
from ldam_studio import files
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.weights import checkpoints, weights
from ldam_studio.networks.weights.checkpoint_folder import (
    IN_PLACE_S,
    OLD_S,
    RESTLESS_S,
    STILL_S,
    Folder,
    Listing,
)
from ldam_studio.networks.weights.checkpoints import CheckpointError, read_checkpoint
from ldam_studio.networks.weights.weights import read_saved
from ldam_studio.training import CheckpointWriter


class Clock:
    """Seconds, as a test has them pass; `now` is so early that every file is a new one."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def folder(self, place: Path) -> Folder:
        return Folder(place, clock=lambda: self.seconds, now=lambda: 0.0)


def model(value: float = 1.0) -> nn.Module:
    linear = nn.Linear(2, 1)
    nn.init.constant_(linear.weight, value)
    nn.init.zeros_(linear.bias)
    return linear


def test_what_was_written_is_listed_in_order_with_what_is_known(tmp_path):
    writer = CheckpointWriter(tmp_path)
    for step in (300, 20, 1000):
        writer.write(model(step), step=step, epoch=step / 100, loss=1 / step, accuracy=0.5)
    listing = at_rest(tmp_path).look()
    assert [c.step for c in listing.checkpoints] == [20, 300, 1000]
    first = listing.checkpoints[0]
    assert (first.epoch, first.loss, first.accuracy) == (0.2, 0.05, 0.5)
    weights, _ = read_saved(first.path)
    assert weights["weight"].flatten().tolist() == [20, 20]
    assert not listing.skipped


@pytest.mark.parametrize("step", [700, 700.0, np.int64(700), torch.tensor(700)])
def test_numbers_may_be_of_any_kind(tmp_path, step):
    loss = (torch.tensor([0.5], requires_grad=True) * 2).sum()
    writer = CheckpointWriter(tmp_path)
    path = writer.write(model(), step=step, epoch=np.int32(3), loss=loss, accuracy=np.float32(0.25))
    assert path.name == "checkpoint-00000700.safetensors"
    (found,) = at_rest(tmp_path).look().checkpoints
    assert (found.step, found.epoch, found.loss, found.accuracy) == (700, 3.0, 1.0, 0.25)


def test_the_average_lies_beside_and_forgets(tmp_path):
    writer = CheckpointWriter(tmp_path, average=2)
    for value in (0.0, 1.0, 3.0):
        writer.average_in(model(value))
    path = writer.write(model(3.0), step=3)
    averaged, _ = read_saved(tmp_path / "averaged" / path.name)
    # (0 + 1) / 2, and then half of that and half of 3.
    assert averaged["weight"].flatten().tolist() == [1.75, 1.75]
    assert len(at_rest(tmp_path).look().checkpoints) == 1
    assert len(at_rest(tmp_path / "averaged").look().checkpoints) == 1


class Odd(nn.Module):
    """Two layers with the same weights, and something that is no tensor kept with them."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        self.other.weight = self.one.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.one(x.flatten(1)))

    def get_extra_state(self) -> dict[str, int]:
        return {"calls": 1}

    def set_extra_state(self, state: object) -> None:
        raise AssertionError(state)


def test_tied_weights_and_extra_state_are_written_and_read(tmp_path):
    writer, odd = CheckpointWriter(tmp_path, average=2), Odd()
    writer.average_in(odd)
    path = writer.write(odd, step=1)
    for each in (path, tmp_path / "averaged" / path.name):
        saved, sha256 = read_saved(each)
        assert sorted(saved) == ["one.weight", "other.weight"]
        assert torch.equal(saved["other.weight"], odd.one.weight)
        network = Network("odd", Odd(), PixelSpec(1, 1, 2, (0.0,), (1.0,)))
        assert torch.equal(
            network.with_weights(saved, each, sha256).module.one.weight, odd.one.weight
        )


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("epoch3-acc91.2.pt", {"epoch": 3, "accuracy": 0.912}),
        ("epoch3-acc1.0.pt", {"epoch": 3, "accuracy": 1.0}),
        ("model_epoch12.pt", {"epoch": 12}),
        ("epoch=3-step=1200.ckpt", {"epoch": 3, "step": 1200}),
        ("net-ep05-acc0.91.pth", {"epoch": 5, "accuracy": 0.91}),
        ("weights_000400.pt", {"step": 400}),
        ("last.pt", {}),
        ("epoch" + 60 * "9" + ".pt", {"epoch": 1e18}),
    ],
)
def test_a_name_says_what_metadata_do_not(tmp_path, name, known):
    torch.save(model().state_dict(), tmp_path / name)
    (found,) = at_rest(tmp_path).look().checkpoints
    for key in ("epoch", "step", "loss", "accuracy"):
        assert getattr(found, key) == pytest.approx(known.get(key))


def test_what_torch_saved_before_it_wrote_archives_is_a_checkpoint(tmp_path):
    path = tmp_path / "epoch3.pth"
    torch.save(model(3.0).state_dict(), path, _use_new_zipfile_serialization=False)
    listing = at_rest(tmp_path).look()
    (found,) = listing.checkpoints
    assert not listing.skipped
    assert read_checkpoint(found)[0]["weight"].flatten().tolist() == [3, 3]
    path.write_bytes(path.read_bytes()[:-5])
    (cut,) = at_rest(tmp_path).look().checkpoints
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(cut)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_checkpoint_that_finds_no_memory_now_is_not_damaged(tmp_path, monkeypatch, suffix):
    def fail(*_args, **_kwargs):
        raise MemoryError

    (tmp_path / f"a-1{suffix}").write_bytes(whole_file(tmp_path / ".elsewhere", suffix))
    (found,) = at_rest(tmp_path).look().checkpoints
    with monkeypatch.context() as patch:
        patch.setattr(weights, "tensors_of", fail)
        with pytest.raises(CheckpointError, match="needs more memory than there is") as refused:
            read_checkpoint(found)
        assert refused.value.kind == "gone"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.os, "fstat", fail)  # as reading the bytes may
        with pytest.raises(CheckpointError, match="needs more memory than there is") as refused:
            read_checkpoint(found)
        assert refused.value.kind == "gone"
    assert read_checkpoint(found)[0]["weight"].flatten().tolist() == [1, 1]


def test_numbers_that_are_none_are_not_known(tmp_path):
    path = CheckpointWriter(tmp_path).write(
        model(), step=7, epoch=float("inf"), loss=float("nan"), accuracy=0.5
    )
    (found,) = at_rest(tmp_path).look().checkpoints
    assert (found.path, found.epoch, found.loss, found.accuracy) == (path, None, None, 0.5)


def whole_file(folder: Path, suffix: str, value: float = 1.0) -> bytes:
    """Return a complete checkpoint's bytes."""
    if suffix == ".safetensors":
        return CheckpointWriter(folder).write(model(value), step=1).read_bytes()
    folder.mkdir(exist_ok=True)
    torch.save(model(value).state_dict(), folder / "a.pt")
    return (folder / "a.pt").read_bytes()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_is_taken_once_it_is_complete_and_stands_still(tmp_path, suffix):
    data, clock = whole_file(tmp_path / ".elsewhere", suffix), Clock()
    folder = tmp_path / "watched"
    folder.mkdir()
    target, watched = folder / f"a-1{suffix}", clock.folder(folder)
    assert watched.look().checkpoints == () and watched.waits_s == math.inf
    for share, rest in ((0.3, STILL_S), (0.7, IN_PLACE_S), (1.0, IN_PLACE_S)):
        target.write_bytes(data[: int(share * len(data))])
        assert watched.look() == Listing((), {}, growing=(target,))
        assert watched.waits_s == pytest.approx(rest)
        clock.seconds += 0.75 * rest
        assert watched.look(thorough=False) == Listing((), {}, growing=(target,))
    clock.seconds += 0.25 * IN_PLACE_S
    assert [c.path for c in watched.look(thorough=False).checkpoints] == [target]
    assert watched.waits_s == math.inf


def rewritten(file: BinaryIO, data: bytes) -> Iterator[None]:
    """Write bytes in three parts over what is in a file; its date changes with each of them."""
    third = len(data) // 3 + 1
    for at in range(0, len(data), third):
        before = os.fstat(file.fileno()).st_mtime_ns
        while os.fstat(file.fileno()).st_mtime_ns == before:  # a disk's clock is coarse
            file.seek(at)
            file.write(data[at : at + third])
            file.flush()
        yield


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_that_is_written_over_in_place_is_taken_when_all_of_it_is(tmp_path, suffix):
    clock, folder = Clock(), tmp_path / "watched"
    old, new = (whole_file(tmp_path / ".elsewhere", suffix, value) for value in (1.0, 2.0))
    assert len(old) == len(new)
    folder.mkdir()
    path, watched = folder / f"last{suffix}", clock.folder(folder)
    path.write_bytes(old)
    watched.look()
    clock.seconds += STILL_S
    (before,) = watched.look().checkpoints
    with open(path, "r+b") as file:
        for _ in rewritten(file, new):
            assert watched.look().checkpoints == (before,)
            clock.seconds += 0.75 * IN_PLACE_S
            assert watched.look().checkpoints == (before,)
    with pytest.raises(CheckpointError, match="overwritten"):
        read_checkpoint(before)
    clock.seconds += 0.25 * IN_PLACE_S
    (after,) = watched.look().checkpoints
    assert after.stamp != before.stamp
    assert read_checkpoint(after)[0]["weight"].flatten().tolist() == [2, 2]


def test_a_file_that_never_rests_for_long_is_taken_now_and_then(tmp_path):
    clock, path = Clock(), tmp_path / "last.safetensors"
    watched, seen = clock.folder(tmp_path), set()
    for value in range(20):
        data = whole_file(tmp_path / ".elsewhere", ".safetensors", float(value))
        if not path.exists():
            path.write_bytes(data)
        with open(path, "r+b") as file:
            before = os.fstat(file.fileno()).st_mtime_ns
            while os.fstat(file.fileno()).st_mtime_ns == before:  # a disk's clock is coarse
                file.seek(0)
                file.write(data)
                file.flush()
        watched.look()
        clock.seconds += 0.5 * IN_PLACE_S
        seen |= {c.stamp for c in watched.look().checkpoints}
    assert 2 <= len(seen) <= 20 * 0.5 * IN_PLACE_S / RESTLESS_S + 1


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_whose_size_is_right_from_the_start_is_taken_when_all_of_it_is(tmp_path, suffix):
    clock, folder = Clock(), tmp_path / "watched"
    data = whole_file(tmp_path / ".elsewhere", suffix)
    folder.mkdir()
    watched, rest = clock.folder(folder), STILL_S
    target = folder / f"a-1{suffix}"
    with open(target, "w+b") as file:
        file.truncate(len(data))
        for _ in rewritten(file, data):
            assert watched.look() == Listing((), {}, growing=(target,))
            clock.seconds += 0.75 * rest
            assert watched.look() == Listing((), {}, growing=(target,))
            rest = IN_PLACE_S
    clock.seconds += 0.25 * rest
    (found,) = watched.look().checkpoints
    assert read_checkpoint(found)[0]["weight"].flatten().tolist() == [1, 1]


@pytest.mark.skipif(os.name != "posix", reason="only POSIX says how much was written")
def test_a_file_with_holes_rests_longer(tmp_path):
    clock = Clock()
    watched = clock.folder(tmp_path)
    with open(tmp_path / "a-1.safetensors", "wb") as file:
        file.truncate(1_000_000)
    watched.look()
    assert watched.waits_s == IN_PLACE_S


@pytest.mark.skipif(os.name != "posix", reason="only POSIX says when a file was renamed")
def test_what_was_renamed_into_place_is_taken_at_once(tmp_path):
    writer, watched = CheckpointWriter(tmp_path), Clock().folder(tmp_path)
    for step in range(50):  # within few ticks of the disk's clock
        path = writer.write(model(step), step=step)
    assert len(watched.look().checkpoints) == 50
    writer.write(model(0.5), step=step, loss=0.5)
    assert {c.path: c.loss for c in watched.look().checkpoints}[path] == 0.5


def test_what_was_written_long_ago_is_taken_at_once(tmp_path):
    path = tmp_path / "a-1.safetensors"
    path.write_bytes(whole_file(tmp_path / ".elsewhere", ".safetensors"))
    written = path.stat().st_mtime
    for age in (OLD_S - 0.1, OLD_S + 0.1):
        found = Folder(tmp_path, clock=lambda: 0.0, now=lambda age=age: written + age).look()
        assert bool(found.checkpoints) == (age > OLD_S)


def test_what_is_no_checkpoint_is_passed_over_with_the_reason(tmp_path):
    writer = CheckpointWriter(tmp_path)
    good = writer.write(model(), step=1)
    (tmp_path / "cut-2.safetensors").write_bytes(good.read_bytes()[:-3])
    (tmp_path / "foreign-3.safetensors").write_bytes(b"{}" * 50)
    (tmp_path / "text-4.pt").write_text("not weights")
    (tmp_path / "notes.txt").write_text("not even a name")
    (tmp_path / "odd-5.safetensors").write_bytes(
        (2).to_bytes(8, "little") + json.dumps([]).encode()
    )
    listing = at_rest(tmp_path).look()
    assert [c.path for c in listing.checkpoints] == [good]
    assert {path.name: reason for path, reason in listing.skipped.items()} == {
        "cut-2.safetensors": "is cut short",
        "foreign-3.safetensors": "is not a safetensors file",
        "text-4.pt": "is cut short or not saved by torch.save",
        "odd-5.safetensors": "is not a safetensors file",
    }


def test_files_that_come_go_and_change_are_noticed(tmp_path):
    writer, watched = CheckpointWriter(tmp_path), at_rest(tmp_path)
    assert watched.look().checkpoints == ()
    path = writer.write(model(1.0), step=1)
    (before,) = watched.look().checkpoints
    writer.write(model(2.0), step=1, loss=0.5)
    os.utime(path, ns=(1, 1))
    (after,) = watched.look().checkpoints
    assert after.loss == 0.5
    assert after.stamp != before.stamp
    path.unlink()
    assert watched.look().checkpoints == ()


def test_a_quick_look_sees_what_comes_and_goes_and_is_written_to_its_end(tmp_path):
    writer, clock = CheckpointWriter(tmp_path), Clock()
    watched = clock.folder(tmp_path)
    path = writer.write(model(), step=1)
    data = path.read_bytes()
    os.utime(path, ns=(1, 1))
    os.utime(tmp_path, ns=(1, 1))  # a folder's clock is coarse
    watched.look()
    clock.seconds += STILL_S  # where nothing tells that it was renamed
    assert len(watched.look().checkpoints) == 1
    listing = watched.look(thorough=False)
    assert watched.look(thorough=False) is listing
    growing = tmp_path / "a-2.safetensors"
    growing.write_bytes(data[:50])
    assert len(watched.look(thorough=False).checkpoints) == 1
    growing.write_bytes(data)
    assert len(watched.look(thorough=False).checkpoints) == 1
    clock.seconds += IN_PLACE_S
    assert len(watched.look(thorough=False).checkpoints) == 2
    os.utime(tmp_path, ns=(2, 2))
    watched.look()
    writer.write(model(), step=1, loss=0.5).rename(tmp_path / "a-2.safetensors")
    watched.look(thorough=False)
    clock.seconds += STILL_S
    assert [c.loss for c in watched.look(thorough=False).checkpoints] == [0.5]


def test_a_single_file_is_watched_also_before_it_is_there(tmp_path):
    path = tmp_path / "last.pt"
    watched = at_rest(path)
    assert watched.look().checkpoints == ()
    torch.save(model().state_dict(), path)
    assert [c.path for c in watched.look().checkpoints] == [path]


def test_a_folder_that_disappears_is_one_sentence(tmp_path):
    folder = tmp_path / "run"
    CheckpointWriter(folder).write(model(), step=1)
    watched = at_rest(folder)
    watched.look()
    shutil.rmtree(folder)
    with pytest.raises(StudioError, match="cannot be read"):
        watched.look()


def test_nothing_is_left_behind_where_writing_is_broken_off(tmp_path, monkeypatch):
    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        CheckpointWriter(tmp_path).write(model(), step=1)
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_behind_where_there_is_no_room(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StudioError, match="No space left"):
        CheckpointWriter(tmp_path).write(model(), step=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("readers", [2, 99])
def test_on_windows_a_file_that_is_being_read_is_replaced_a_little_later(
    tmp_path, monkeypatch, readers
):
    writer, rename, tries = CheckpointWriter(tmp_path), os.replace, []
    before = writer.write(model(1.0), step=1).read_bytes()

    def read_meanwhile(source, target):
        tries.append(target)
        if len(tries) <= readers:
            raise PermissionError(13, "Access is denied")
        rename(source, target)

    monkeypatch.setattr("os.replace", read_meanwhile)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(files.time, "sleep", lambda _seconds: None)
    if readers == 2:
        assert writer.write(model(2.0), step=1).read_bytes() != before
        return
    with pytest.raises(StudioError, match="Access is denied"):
        writer.write(model(2.0), step=1)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]
