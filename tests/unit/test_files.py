"""One gate for reading whole files: regular, and of bounded size."""

from __future__ import annotations

import os
import sys

import pytest

from ldam_studio.errors import StudioError
from ldam_studio.files import hash_of, read_bytes, write_durably


def test_a_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"\r\n\x1a content")
    assert read_bytes(tmp_path / "a") == b"\r\n\x1a content"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path, "/dev/random", "/dev/stdin"):
        with pytest.raises(StudioError, match=r"cannot be read \("):
            read_bytes(type(tmp_path)(path))


def test_what_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(StudioError, match=r"has 10,240 MB, but such a file has at most 1;"):
        read_bytes(tmp_path / "sparse", 2**20)


def test_what_is_too_large_is_not_hashed(tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(StudioError, match=r"has 1,048,576 MB, but such a file has at most 16,384;"):
        hash_of(tmp_path / "sparse")


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000])
def test_impossible_names_are_one_sentence(tmp_path, name):
    with pytest.raises(StudioError):
        read_bytes(tmp_path / name)


def test_a_failed_write_leaves_the_former_file(tmp_path):
    path = tmp_path / "kept"
    write_durably(path, lambda to: to.write_bytes(b"first"))

    def full(to):
        to.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StudioError, match=r"cannot be written \(No space left"):
        write_durably(path, full)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
