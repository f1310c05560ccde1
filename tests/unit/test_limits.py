"""What would take too much memory, or never end, is refused before it does."""

from __future__ import annotations

import gzip
import os
import resource
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.session import Opener
from ldam_studio.engine.watching.watcher import Watcher
from ldam_studio.errors import StudioError
from ldam_studio.export.session_file import SUFFIX, read_session
from ldam_studio.gui.opening.file_kinds import WEIGHTS, kind_of
from ldam_studio.memory import TooLittleMemory
from ldam_studio.networks import sizes
from ldam_studio.networks.sources.labels import read_labels
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.checkpoint_headers import examine
from ldam_studio.networks.weights.checkpoints import stamp_of
from ldam_studio.networks.weights.weights import read_saved, sha256_of
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import read_idx
from ldam_studio.training.photos import Photos

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_digits_that_unpack_to_gigabytes(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    # Packed once and repeated: a gzip file may have many members.
    path.write_bytes(40 * gzip.compress(bytes(2**24)))
    before = peak_mb()
    with pytest.raises(StudioError, match="unpacks to more than"):
        read_idx(path)
    assert peak_mb() - before < 300


def test_an_archive_of_cifar_that_unpacks_to_gigabytes(tmp_path):
    path = tmp_path / "cifar10.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|u1", "fortran_order": False, "shape": (300_000, 32, 32, 3)}
            )
            for _ in range(30):
                file.write(bytes(2**24))
    before = peak_mb()
    with pytest.raises(StudioError, match="would unpack to more"):
        load_cifar10(tmp_path, "train")
    assert peak_mb() - before < 200


def test_a_photograph_in_a_zip_that_unpacks_to_gigabytes(tmp_path, monkeypatch):
    path = tmp_path / "photos.zip"
    monkeypatch.setattr("ldam_studio.training.photos.MOST_BYTES", 1000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(2000))
    with Photos(path, ("a.png",)).reader() as read, pytest.raises(StudioError, match="too large"):
        read(0)


def test_images_that_would_take_most_of_the_memory(monkeypatch):
    network = open_network("lenet")
    fits = network.at_side(28)
    assert fits is network
    vgg = open_network("vgg")
    monkeypatch.setattr(sizes, "free_bytes", lambda: 2**30)
    with pytest.raises(TooLittleMemory, match="smaller resolution"):
        vgg.at_side(1024)
    assert vgg.at_side(48) is not None


def test_images_of_a_recipe_that_would_take_all_memory(tmp_path):
    (tmp_path / "net.py").write_text("from torch import nn\ndef m(): return nn.Conv2d(3, 64, 3)\n")
    pixels = {"channels": 3, "height": 16384, "width": 16384, "mean": [0] * 3, "std": [1] * 3}
    reference = {"name": f"{tmp_path}/net.py:m", "weights": None, "sha256": "", "pixels": pixels}
    with pytest.raises(TooLittleMemory, match="3 x 16384 x 16384 values needs at least"):
        Opener(allow_code=True).network(parse(reference, Reference))


def sparse(path: Path, size: int, head: bytes = b"") -> Path:
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def test_files_with_holes(tmp_path):
    large = sparse(tmp_path / f"a{SUFFIX}", 2**40)
    with pytest.raises(StudioError, match="has at most"):
        read_session(large)
    with pytest.raises(StudioError, match=r"memory|at most"):
        read_saved(sparse(tmp_path / "a.pt", 2**40))
    with pytest.raises(StudioError, match="has at most"):
        read_labels(sparse(tmp_path / "labels.txt", 2**33))


def test_a_hash_needs_no_memory(tmp_path):
    path = sparse(tmp_path / "a.pt", 2**28)
    before = peak_mb()
    assert len(sha256_of(path)) == 64
    assert peak_mb() - before < 64 + 2**6


@needs_pipes
def test_pipes_and_devices_are_no_files(tmp_path):
    pipe = tmp_path / "x.pt"
    os.mkfifo(pipe)
    link = tmp_path / "y.pt"
    link.symlink_to("/dev/zero")
    for path in (pipe, link, tmp_path):
        for read in (read_saved, sha256_of, read_labels, read_session, read_idx):
            with pytest.raises(StudioError, match=r"not a file|cannot be read|directory"):
                read(path)
        assert examine(path, stamp_of(path.stat())) == "cannot be read"
        with Photos(tmp_path, (path.name,)).reader() as photo, pytest.raises(StudioError):
            photo(0)


@needs_pipes
def test_a_pipe_with_an_unknown_suffix_is_no_file_to_open(tmp_path):
    os.mkfifo(tmp_path / "x")
    with pytest.raises(StudioError, match="is neither"):
        kind_of(tmp_path / "x")


def test_a_dropped_file_is_known_by_its_first_bytes(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "weights of mine")
    assert kind_of(tmp_path / "weights of mine") is WEIGHTS


@needs_pipes
def test_watching_goes_on_beside_pipes_and_devices(tmp_path):
    os.mkfifo(tmp_path / "a.pt")
    (tmp_path / "b.pt").symlink_to("/dev/zero")
    (tmp_path / "c.pt").mkdir()
    network = open_network("lenet")
    torch.save(network.module.state_dict(), tmp_path / "d.pt")
    os.utime(tmp_path / "d.pt", (1, 1))
    swapped, seen = threading.Event(), []
    watcher = Watcher(
        network,
        tmp_path,
        on_news=lambda _news: None,
        on_swap=lambda swap: (seen.append(swap), swapped.set()),
    )
    watcher.start()
    assert swapped.wait(20)
    watcher.close()
    assert seen[0].checkpoint.path == tmp_path / "d.pt"


def test_closing_does_not_wait_for_a_drive_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr("ldam_studio.engine.watching.watcher.MOST_WAIT_S", 0.05)
    answers, asked = threading.Event(), threading.Event()
    watcher = Watcher(
        open_network("lenet"), tmp_path, on_news=lambda _: None, on_swap=lambda _: None
    )

    def look(**_given):
        asked.set()
        answers.wait(20)
        raise StudioError("gone")

    monkeypatch.setattr(watcher._folder, "look", look)
    watcher.start()
    assert asked.wait(20)
    watcher.close()
    assert not answers.is_set()
    answers.set()
