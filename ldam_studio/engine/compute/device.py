"""Where a session runs, and how: device and plan, chosen at run time and recorded."""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ldam_studio.errors import StudioError
from ldam_studio.memory import keep_freed
from ldam_studio.networks.plan import FIRST_LAYERS, FLOAT32, FORMER, LAYOUTS, PLAIN, TORCH, Plan

AUTO = "auto"
DEVICES = (AUTO, "cuda", "mps", "cpu")
PRECISIONS = (AUTO, "float32", "bfloat16")
ARITHMETIC = 2
"""The newest way to compute a step, for new sessions; see `sampler.kernels.Parameters`."""

MOST_THREADS = 1024

STEPS_UNDER_WAY = 8
"""Large enough that a step's verdict has long arrived, small enough that the pixels of these steps
fit into memory."""


@dataclass(frozen=True)
class Device:
    """A device, and how networks and gradients run on it (chains are always float32).

    Precision and layout "auto" and 0 threads are decided by measurements in the session, see
    `engine.tuning`. `tried` means that some of it was decided so; it is measured again when chains
    turn to another layer. `asked` names what was requested and is never measured: "precision",
    "threads". For the other fields see `Plan`.

    `arithmetic` is how a step is computed, see `sampler.kernels.Parameters`; it is always recorded,
    and so is `confirmed`: whether crops are confirmed as `engine.field_checks` says, which version
    0.1.0 did not do.

    `Device()` measures nothing and computes as version 0.1.0 did, so that figures and trainings are
    the same on every run.
    """

    name: str = "cpu"
    precision: str = FLOAT32
    threads: int = 1
    tried: bool = False
    arithmetic: int = 1
    layout: str = FORMER
    first_layers: str = TORCH
    folded: bool = True
    asked: tuple[str, ...] = ()
    confirmed: bool = True

    @property
    def plan(self) -> Plan:
        """How networks are run."""
        return Plan(self.precision, self.threads, self.layout, self.first_layers, self.folded)

    def with_plan(self, plan: Plan) -> Device:
        """Return the device with another plan."""
        return replace(self, **asdict(plan))

    @property
    def lag(self) -> int:
        """How many steps may be running on the device before the host checks the oldest one."""
        return STEPS_UNDER_WAY if self.name == "cuda" else 0

    def in_float32(self) -> Device:
        """Return the device with float32 as in 0.1.0, which is then not measured again."""
        return replace(self.with_plan(replace(PLAIN, threads=self.threads)), tried=False)

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
        """Return the context in which discriminators run."""
        if self.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(self.name, torch.bfloat16)

    def json(self) -> dict[str, Any]:
        """Return what a recipe records."""
        fields = asdict(self) | {"asked": list(self.asked)}
        return {"device": fields.pop("name"), **fields, "torch": torch.__version__}


def plan_words(device: Device) -> str:
    """Return how a session runs, in words: "bfloat16, channels last, 1 thread"."""
    threads = f"{device.threads} thread" + ("" if device.threads == 1 else "s")
    return ", ".join([device.plan.words, *([threads] if device.name == "cpu" else [])])


def choose(
    device: str = "auto", precision: str = "auto", threads: int = 1, plan: Plan | None = None
) -> Device:
    """Choose where to run: CUDA, else MPS, else the CPU.

    Precision "auto" and 0 threads are left to the session. The default is one thread: the best
    number of threads is measured and may differ from one run to the next, which changes the last
    bits. With a `plan`, its layout, first layers and folding are taken, too.

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
    plan = plan or PLAIN
    if plan.layout not in (AUTO, *LAYOUTS) or plan.first_layers not in FIRST_LAYERS:
        raise StudioError(
            f"There is no plan of execution {plan.layout!r}, {plan.first_layers!r}; export again."
        )
    if not 0 <= threads <= MOST_THREADS:
        raise StudioError(f"The number of threads must be from 0 to {MOST_THREADS}, not {threads}.")
    present = {"cpu": True, "cuda": _has_cuda(), "mps": _has_mps()}
    if device == "auto":
        device = next(name for name in ("cuda", "mps", "cpu") if present[name])
    if not present[device]:
        raise StudioError(f"This computer has no usable {device} device; choose cpu.")
    way = replace(plan, precision=precision, threads=threads)
    return Device(device, arithmetic=ARITHMETIC).with_plan(way)


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def _has_cuda() -> bool:
    return torch.cuda.is_available()


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
