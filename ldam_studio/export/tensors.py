"""The tensors in the bytes of a safetensors file.

The library copies all of them in one call, for which every other thread has to wait: a second for
a large session.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
import torch
from msgspec import Meta, Raw, Struct
from torch import Tensor

TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}
MOST = 2**40  # numbers in a tensor
Size = Annotated[int, Meta(ge=0, le=MOST)]


class _Entry(Struct):
    dtype: str
    shape: Annotated[list[Size], Meta(max_length=16)]
    data_offsets: tuple[Size, Size]


def tensors_in(data: bytes | memoryview) -> dict[str, Tensor]:
    """Return the tensors in the bytes of a safetensors file, copied.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    if start > len(data):
        raise ValueError("a header that is cut off")
    try:
        header = msgspec.json.decode(data[8:start], type=dict[str, Raw])
        header.pop("__metadata__", None)
        entries = {name: msgspec.json.decode(raw, type=_Entry) for name, raw in header.items()}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ValueError("a damaged header") from None
    values = np.frombuffer(data, np.uint8)[start:]
    found, end = {}, 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        dtype, (begin, after) = TYPES.get(entry.dtype), entry.data_offsets
        if dtype is None or begin != end or after > len(values):
            raise ValueError(f"a damaged entry for {name}")
        # Of nothing, too, there may not be more than can be counted.
        most = math.prod(size or 1 for size in entry.shape)
        if after - begin != math.prod(entry.shape) * dtype.itemsize or most > MOST:
            raise ValueError(f"another size of {name}")
        if begin == after:  # which has no type that could be viewed as another
            found[name] = torch.empty(entry.shape, dtype=dtype)
            continue
        part = torch.from_numpy(values[begin:after].copy())
        if dtype is torch.bool:  # bytes other than 0 and 1 would be neither true nor false
            part = part.ne(0)
        found[name], end = part.view(dtype).reshape(entry.shape), after
    if end != len(values):
        raise ValueError("more data than tensors")
    return found
