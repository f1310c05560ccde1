"""Where a session runs: device, precision and threads, chosen at run time and recorded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from ldam_studio.errors import StudioError
from ldam_studio.memory import keep_freed

DEVICES = ("auto", "cuda", "mps", "cpu")
PRECISIONS = ("auto", "float32", "bfloat16")
ARITHMETIC = 2
"""The newest way to compute a step, for new sessions; see `sampler.kernels.Parameters`."""

STEPS_UNDER_WAY = 8
"""Large enough that a step's verdict has long arrived, small enough that the pixels of these steps
fit into memory."""


@dataclass(frozen=True)
class Device:
    """A device, the precision of network and gradient (chains are always float32), and threads.

    Precision "auto" and 0 threads are decided when a session opens, see `tuning.settle`. `tried`
    means that bfloat16 was chosen by a measurement; it is measured again when chains turn to
    another layer. A precision that was requested or recorded is kept.

    `arithmetic` is how a step is computed, see `sampler.kernels.Parameters`; it is always recorded.

    `Device()` measures nothing and computes as version 0.1.0 did, so that figures and trainings are
    the same on every run.
    """

    name: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    tried: bool = False
    arithmetic: int = 1

    @property
    def lag(self) -> int:
        """How many steps may be running on the device before the host checks the oldest one."""
        return STEPS_UNDER_WAY if self.name == "cuda" else 0

    def in_float32(self) -> Device:
        """Return the device with float32, which is then not measured again."""
        return replace(self, precision="float32", tried=False)

    def apply(self) -> None:
        """Set the number of processor threads. Torch keeps this number per thread.

        The process keeps freed memory from now on, see `memory.keep_freed`.

        On CUDA, also allow TF32 rounding in matrix products, as convolutions do by default.
        """
        keep_freed()
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

    Precision "auto" and 0 threads are left to the session. The default is one thread: the best
    number of threads is measured and may differ from one run to the next, which changes the last
    bits.

    Raises
    ------
    StudioError
        If the requested device is not available, or a value is unknown.
    """
    if device not in DEVICES:
        raise StudioError(f"The device must be one of {', '.join(DEVICES)}, not {device!r}.")
    if precision not in PRECISIONS:
        raise StudioError(
            f"The precision must be one of {', '.join(PRECISIONS)}, not {precision!r}."
        )
    if not 0 <= threads <= 1024:
        raise StudioError(f"The number of threads must be from 0 to 1024, not {threads}.")
    present = {"cpu": True, "cuda": _has_cuda(), "mps": _has_mps()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[device]:
        raise StudioError(f"This computer has no usable {device} device; use --device cpu.")
    return Device(device, precision, threads, arithmetic=ARITHMETIC)


def _has_cuda() -> bool:
    return torch.cuda.is_available()


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
