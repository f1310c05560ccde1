"""Tensors of safetensors files: as the library reads them, and refused where they do not fit."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load, save

from ldam_studio.export.tensors import TYPES, tensors_in


def test_they_are_those_of_the_library():
    given = {name: torch.arange(6).reshape(2, 3).to(dtype) for name, dtype in TYPES.items()}
    given |= {"scalar": torch.tensor(0.5), "none": torch.empty(0, 3), "odd": torch.ones(3).bool()}
    data = save(given, {"a": "b"})
    found, expected = tensors_in(data), load(data)
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
    found["F32"].add_(1)  # a copy, not the file's own bytes
    assert torch.equal(tensors_in(memoryview(data))["F32"], given["F32"])


def file_of(entries: object, size: int = 8) -> bytes:
    header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


def entry(begin: int, end: int, shape: object = (1,), dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": (begin, end)}


@pytest.mark.parametrize(
    "entries",
    [
        {"a": entry(0, 4), "b": entry(0, 4)},
        {"a": entry(0, 4), "b": entry(2, 6)},
        {"a": entry(4, 8)},
        {"a": entry(0, 4)},
        {"a": entry(0, 12, [3])},
        {"a": entry(0, 8, [2**62])},
        {"a": entry(0, 8, [-2])},
        {"a": entry(8, 0, [-2])},
        {"a": entry(0, 8), "b": entry(8, 8, [0, *[2**40] * 9])},
        {"a": entry(0, 8, [2], "F8_E4M3")},
        {"a": entry(0, 8, "2")},
        {"a": entry(0, 8, [2.0])},
        {"a": 3},
        [],
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"\xff\xfe",
    ],
)
def test_what_does_not_fit_is_refused(entries):
    with pytest.raises(ValueError):
        tensors_in(file_of(entries))


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 99, b"\xff" * 8 + b"{}"])
def test_what_is_no_file_is_refused(data):
    with pytest.raises(ValueError):
        tensors_in(data)


def test_other_bytes_than_those_of_truth_are_true():
    data = bytearray(file_of({"a": entry(0, 2, [2], "BOOL")}, 2))
    data[-1] = 255
    assert int(tensors_in(bytes(data))["a"].sum()) == 1
