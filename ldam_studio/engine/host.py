"""Bringing what is shown from the device to the host, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def to_host(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Return arrays of their own with the tensors' values, of the same shapes and types.

    From a CUDA device they are copied side by side into pinned memory, and waited for once.
    """
    copies = {name: _begin(tensor.detach()) for name, tensor in tensors.items()}
    if any(tensor.is_cuda for tensor in tensors.values()):
        torch.cuda.current_stream().synchronize()
    return {name: copy.numpy() for name, copy in copies.items()}


def _begin(tensor: Tensor) -> Tensor:
    if not tensor.is_cuda:
        return tensor.to("cpu", copy=True)
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor, non_blocking=True)
