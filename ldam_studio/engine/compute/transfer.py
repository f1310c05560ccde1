"""Copying tensors between host and device with as few waits as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor

K = TypeVar("K")


def to_host(tensors: Mapping[K, Tensor]) -> dict[K, NDArray[Any]]:
    """Return the tensors' values as new arrays of the same shapes and types.

    From a CUDA device, all of them are copied into pinned memory with a single wait.
    """
    copies = {name: _begin(tensor.detach()) for name, tensor in tensors.items()}
    if any(tensor.is_cuda for tensor in tensors.values()):
        torch.cuda.current_stream().synchronize()
    return {name: copy.numpy() for name, copy in copies.items()}


class Arriving:
    """A tensor on its way to the host; only reading it waits for it."""

    def __init__(self, tensor: Tensor) -> None:
        self._copy, self._event = tensor, None
        if tensor.is_cuda:
            self._copy, self._event = _begin(tensor), torch.cuda.Event()
            self._event.record()

    def read(self) -> list[Any]:
        """Return the values as nested lists, one level per dimension."""
        self._wait()
        return self._copy.tolist()

    def array(self) -> NDArray[Any]:
        """Return the values; those of a tensor on the host share its memory."""
        self._wait()
        return self._copy.numpy()

    def _wait(self) -> None:
        if self._event is not None:
            self._event.synchronize()


def to_device(tensor: Tensor, device: str) -> Tensor:
    """Return a copy of a host tensor on the device, without waiting for the transfer."""
    if torch.device(device).type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _begin(tensor: Tensor) -> Tensor:
    if not tensor.is_cuda:
        return tensor.to("cpu", copy=True)
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor, non_blocking=True)
