"""What the reader of pickles makes of the few names that it knows: tensors, arrays, dictionaries.

`CALLS` is the whole list. The functions in it take whatever a file has in their place, check it,
and raise `Unreadable` where it makes no sense.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ldam_studio.networks.weights.reading.pickles import Inert, Name, Unreadable, key

MOST_DIMENSIONS = 32
MOST_REPEATED = 2**26
"""Elements of a tensor that is larger than its storage, because it repeats values."""
MOST_TENSORS = 100_000

DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        *("float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"),
        *("uint8", "int8", "int16", "int32", "int64", "bool", "complex64", "complex128"),
        *("uint16", "uint32", "uint64"),
    )
    if hasattr(torch, name)
}
STORAGES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Byte": torch.uint8,
    "Char": torch.int8,
    "Short": torch.int16,
    "Int": torch.int32,
    "Long": torch.int64,
    "Bool": torch.bool,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
    "Untyped": torch.uint8,
}
ARRAYS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1", "c8", "c16")
"""Types of numpy's arrays that torch has, too."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The memory of one or more tensors, as a tensor of one dimension."""

    values: Tensor

    @classmethod
    def of(cls, data: bytes | bytearray | memoryview, dtype: torch.dtype, swapped: bool) -> Storage:
        """Return the storage with these bytes; `swapped` if each number is back to front."""
        size = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        if swapped and size > 1:
            data = np.frombuffer(data, f"u{size}").byteswap().tobytes()
        own = data if isinstance(data, bytearray) else bytearray(data)
        return cls(torch.frombuffer(own, dtype=dtype) if own else torch.empty(0, dtype=dtype))


def storage_type(value: Any) -> torch.dtype | None:
    """Return the type of the numbers in a storage of this class, such as torch.FloatStorage.

    None if they are of another kind, such as quantised ones.
    """
    name = value.name if isinstance(value, Name | Inert) else ""
    if not (name.startswith("torch.") and name.endswith("Storage")):
        raise Unreadable("is damaged")
    return STORAGES.get(name.rpartition(".")[2].removesuffix("Storage"))


def whole(value: Any, most: int = 2**62) -> int:
    """Return a whole number from 0 to `most`; `Unreadable` if it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Unreadable("is damaged")
    return value


def view(flat: Tensor, offset: Any, size: Any, stride: Any) -> Tensor:
    """Return the tensor that lies in a storage, after checking that it lies inside it."""
    if not (isinstance(size, tuple | list) and isinstance(stride, tuple | list)):
        raise Unreadable("is damaged")
    if len(size) != len(stride) or len(size) > MOST_DIMENSIONS:
        raise Unreadable("is damaged")
    sizes, strides, start = [*map(whole, size)], [*map(whole, stride)], whole(offset)
    count = math.prod(sizes)
    if not count:
        if math.prod(s for s in sizes if s) > 2**62:
            raise Unreadable("is damaged")
        return torch.empty(sizes, dtype=flat.dtype)
    last = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if last >= flat.numel() or count > max(flat.numel(), MOST_REPEATED):
        raise Unreadable("is damaged")
    return flat.as_strided(sizes, strides, start)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *more: Any) -> Any:
    if isinstance(storage, Inert):
        return storage
    if not isinstance(storage, Storage):
        raise Unreadable("is damaged")
    flags = more[2] if len(more) > 2 else None
    if isinstance(flags, dict) and any(flags.get(flag) for flag in ("conj", "neg")):
        return Inert("torch._utils._rebuild_tensor_v2")  # its numbers are not those in the file
    return view(storage.values, offset, size, stride)


def _untyped_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, *_: Any
) -> Any:
    kind = _dtype(dtype)
    if not isinstance(storage, Storage) or kind is None:
        raise Unreadable("is damaged")
    raw = storage.values.view(torch.uint8)
    raw = raw[: len(raw) // kind.itemsize * kind.itemsize]
    flat = raw.view(kind) if len(raw) else torch.empty(0, dtype=kind)
    return view(flat, offset, size, stride)


def _dtype(value: Any) -> torch.dtype | None:
    return DTYPES.get(value.name.removeprefix("torch.")) if isinstance(value, Name) else None


def _parameter(data: Any = None, *_: Any) -> Any:
    return data if isinstance(data, Tensor) else Inert("torch.nn.parameter.Parameter", (data,))


def _subclass(what: Any, _kind: Any, args: Any, *_: Any) -> Any:
    # Attributes that were given to a tensor do not matter.
    if isinstance(what, Name) and isinstance(args, tuple):
        return call(what.name, args)
    return Inert("torch._tensor._rebuild_from_type_v2", (args,))


def _meta(dtype: Any, size: Any, *_: Any) -> Tensor:
    sizes = [whole(n, 2**40) for n in size]
    return torch.empty(sizes, dtype=_dtype(dtype) or torch.float32, device="meta")


def _sparse(layout: Any, data: Any) -> Any:
    coo = isinstance(layout, Inert) and layout.args == ("torch.sparse_coo",)
    if not coo or not (isinstance(data, tuple) and len(data) >= 3):
        return Inert("torch._utils._rebuild_sparse_tensor", (layout, data))
    sizes = [whole(n, 2**40) for n in data[2]]
    return torch.sparse_coo_tensor(data[0], data[1], sizes, check_invariants=True)


def _dictionary(*args: Any) -> OrderedDict[Any, Any]:
    found: OrderedDict[Any, Any] = OrderedDict()
    for each in args:
        if isinstance(each, dict):
            found.update(each)
        elif isinstance(each, list | tuple):
            for name, value in each:
                found[key(name)] = value
    return found


def _list(items: Any = (), *_: Any) -> list[Any]:
    return list(items) if isinstance(items, list | tuple | dict) else []


def _size(items: Any = (), *_: Any) -> tuple[Any, ...]:
    return tuple(_list(items))


def _encoded(text: Any, encoding: Any = "latin1", *_: Any) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise Unreadable("is damaged")
    return text.encode(encoding)


# -- numpy ----------------------------------------------------------------------------------------


def numbers_type(value: Any) -> np.dtype[Any] | None:
    """Return a numpy type that torch has, too; None for any other."""
    if not isinstance(value, Inert) or not value.args or value.args[0] not in ARRAYS:
        return None
    state = value.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    known: np.dtype[Any] = np.dtype(value.args[0])
    return known.newbyteorder(">" if order == ">" else "<" if order == "<" else "=")


def array(shape: Any, dtype: np.dtype[Any], data: Any, is_fortran: bool) -> Tensor:
    """Return numpy's numbers as a tensor, after checking that there are as many as it says."""
    raw = data.encode("latin1") if isinstance(data, str) else data  # Python 2 has no bytes
    sizes = tuple(whole(n) for n in shape)
    if not isinstance(raw, bytes | bytearray | memoryview) or len(sizes) > MOST_DIMENSIONS:
        raise Unreadable("is damaged")
    if math.prod(sizes) * dtype.itemsize != len(raw):
        raise Unreadable("is damaged")
    flat = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
    order = "F" if is_fortran else "C"
    return torch.from_numpy(np.ascontiguousarray(flat.reshape(sizes, order=order)).reshape(sizes))  # type: ignore[call-overload]


def _scalar(dtype: Any, data: Any = b"", *_: Any) -> Any:
    known = numbers_type(dtype)
    if known is None:
        return Inert("numpy.core.multiarray.scalar", (dtype, data))
    return array((), known, data, False).item()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> Any:
    known = numbers_type(dtype)
    if known is None:
        return Inert("numpy.core.numeric._frombuffer", (shape,))
    return array(shape, known, data, order == "F")


CALLS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"), _tensor),
    "torch._utils._rebuild_tensor_v3": _untyped_tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.nn.parameter.Buffer": _parameter,
    "torch._tensor._rebuild_from_type": _subclass,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch.Size": _size,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _dictionary,
    "collections.Counter": _dictionary,
    **dict.fromkeys(("builtins.dict", "__builtin__.dict"), _dictionary),
    **{
        f"{module}.{name}": _list
        for module in ("builtins", "__builtin__")
        for name in ("list", "tuple", "set", "frozenset")
    },
    "_codecs.encode": _encoded,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
}
"""What is made with a name; everything else becomes an `Inert` object."""


def call(name: str, args: tuple[Any, ...]) -> Any:
    """Return what a name makes of its arguments: a value if it is in `CALLS`, else `Inert`."""
    known = name.replace("numpy._core.", "numpy.core.", 1)
    return CALLS[known](*args) if known in CALLS else Inert(name, args)


def build(what: Any, state: Any) -> Any:
    """Return an object with its state: an array or an old tensor, or the object itself."""
    if isinstance(what, OrderedDict) and isinstance(state, dict):
        metadata = state.get("_metadata")
        if isinstance(metadata, dict):
            what._metadata = metadata  # type: ignore[attr-defined]
        return what
    if not isinstance(what, Inert) or not isinstance(state, tuple):
        return what
    if what.name.startswith("numpy.") and what.name.endswith("_reconstruct") and len(state) == 5:
        known = numbers_type(state[2])
        return what if known is None else array(state[1], known, state[4], bool(state[3]))
    if what.name.startswith("torch.") and what.name.endswith("Tensor") and len(state) == 4:
        return _tensor(*state)  # before torch 0.2
    if what.name == "torch.nn.parameter.Parameter" and state:
        return state[0] if isinstance(state[0], Tensor) else what
    return what
