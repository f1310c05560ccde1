"""A SHA-256 of a module's weights, whatever file they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ldam_studio.networks.weights.readings import own_tensors


def fingerprint(module: nn.Module, names: Sequence[str] | None = None) -> str:
    """Return a SHA-256 over a module's weights, for a module that was not read from a file.

    `names` are those of all entries of its state dict if it had other ones before.
    """
    digest = hashlib.sha256()
    own = own_tensors(module)
    present = tuple(module.state_dict())
    if names is not None and len(names) == len(present):
        former = dict(zip(present, names, strict=True))
        own = {former[name]: value for name, value in own.items()}
    for name, value in sorted(own.items(), key=lambda item: item[0]):
        digest.update(name.encode())
        digest.update(_bytes_of(value))
    return digest.hexdigest()


def _bytes_of(value: Tensor) -> bytes:
    """Return a tensor's values as bytes, also of types that NumPy does not have."""
    value = value.detach().cpu()
    if value.is_quantized:
        value = value.dequantize()
    if not value.layout == torch.strided:
        value = value.to_dense()
    value = value.resolve_conj().resolve_neg().contiguous()
    return value.reshape(-1).view(torch.uint8).numpy().tobytes()
