"""Where a session runs: device, precision and threads, chosen at run time and recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from ldam_studio.errors import StudioError

DEVICES = ("auto", "cuda", "mps", "cpu")
PRECISIONS = ("auto", "float32", "bfloat16")
STEPS_UNDER_WAY = 8
"""Enough that a step's verdict has long arrived, few enough that their pixels fit into memory."""


@dataclass(frozen=True)
class Device:
    """The device, the precision of network and gradient (chains are always float32), threads.

    Precision "auto" and 0 threads are still to be decided for a session, see `tuning.settle`.
    `tried` tells that bfloat16 was taken because a trial found that it does, so that it is tried
    again where chains turn to another layer; what was asked for, or is recorded, is kept.
    `Device()` tries nothing out, so that figures and trainings are the same on every run.
    """

    name: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    tried: bool = False

    @property
    def lag(self) -> int:
        """How many steps may be under way on the device before the host asks how one went."""
        return STEPS_UNDER_WAY if self.name == "cuda" else 0

    def in_float32(self) -> Device:
        """Return the device in float32, for good."""
        return replace(self, precision="float32", tried=False)

    def apply(self) -> None:
        """Set this thread's share of the processor. Torch keeps the number per thread.

        On CUDA, products of matrices may round as TF32 does, as its convolutions do by default.
        """
        torch.set_num_threads(max(1, self.threads))
        if self.name == "cuda":
            torch.set_float32_matmul_precision("high")

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which networks run."""
        if self.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self.name, torch.bfloat16)

    def json(self) -> dict[str, Any]:
        """Return what a recipe records."""
        fields = asdict(self)
        return {"device": fields.pop("name"), **fields, "torch": torch.__version__}


def choose(device: str = "auto", precision: str = "auto", threads: int = 1) -> Device:
    """Choose where to run: CUDA, else MPS, else the CPU.

    Precision "auto" and 0 threads are left to the session. One thread is the default, since how
    many are tried out as best may change from one run to the next, and the last bits with it.

    Raises
    ------
    StudioError
        If the device that was asked for is not there, or a word is unknown.
    """
    if device not in DEVICES:
        raise StudioError(f"Device is one of {', '.join(DEVICES)}, not {device!r}.")
    if precision not in PRECISIONS:
        raise StudioError(f"Precision is one of {', '.join(PRECISIONS)}, not {precision!r}.")
    if not 0 <= threads <= 1024:
        raise StudioError(f"Threads must lie between 1 and 1024, not {threads}.")
    present = {"cpu": True, "cuda": _has_cuda(), "mps": _has_mps()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[device]:
        raise StudioError(f"This machine has no usable {device} device; use --device cpu.")
    return Device(device, precision, threads)


def _has_cuda() -> bool:
    return torch.cuda.is_available()


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
