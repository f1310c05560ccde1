"""What code can change for the whole program without meaning to, and putting it back.

A person's file may parse a command line, change the folder, set torch's default precision or seed
its generator when it is imported. In a program of its own that would stay; here it stays for that
person's code only.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Their handlers decide whether Ctrl-C still ends the program."""


@dataclass(frozen=True)
class _Part:
    """One thing that code can change: how it is read, and how an earlier value is put back."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return None


def _put_folder(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _put_environment(values: dict[str, str]) -> None:
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def _put_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _logging() -> tuple[list[logging.Handler], int, int, dict[str, tuple[bool, int]]]:
    loggers = logging.root.manager.loggerDict.items()
    known = {n: (lg.disabled, lg.level) for n, lg in loggers if isinstance(lg, logging.Logger)}
    return logging.root.handlers[:], logging.root.level, logging.root.manager.disable, known


def _put_logging(values: tuple[list[logging.Handler], int, int, dict[str, Any]]) -> None:
    logging.root.handlers[:], level, logging.root.manager.disable, known = values
    logging.root.setLevel(level)
    for name, (disabled, own_level) in known.items():
        logger = logging.getLogger(name)
        logger.disabled = disabled
        logger.setLevel(own_level)


def _put_warnings(values: tuple[list[Any], Any]) -> None:
    warnings.resetwarnings()  # also tells Python that the filters have changed
    warnings.filters[:], warnings.showwarning = values  # type: ignore[index]


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def _put_handlers(handlers: list[Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread can have changed them
    for number, handler in zip(SIGNALS, handlers, strict=True):
        if handler is not None:
            signal.signal(number, handler)


def _put_list(where: list[Any]) -> Callable[[list[Any]], None]:
    def put(values: list[Any]) -> None:
        where[:] = values

    return put


_PRECISIONS: tuple[str, ...] = ("", "cuda.matmul", "cudnn", "cudnn.conv", "cudnn.rnn")
_PRECISIONS += ("mkldnn", "mkldnn.matmul", "mkldnn.conv", "mkldnn.rnn")


def _kernels() -> tuple[Any, ...]:
    cudnn = torch.backends.cudnn
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.is_anomaly_enabled(),
        cudnn.deterministic,
        cudnn.benchmark,
        # Where the newer way of choosing precisions is in use, torch refuses to tell the older one.
        _told(torch.get_float32_matmul_precision),
        _told(lambda: cudnn.allow_tf32),
        {name: place.fp32_precision for name, place in _precisions().items()},
    )


def _told(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except RuntimeError:
        return None


def _precisions() -> dict[str, Any]:
    """Return the places of torch where the precision of float32 is chosen, by their names."""
    found = {}
    for name in _PRECISIONS:
        place: Any = torch.backends
        for part in filter(None, name.split(".")):
            place = getattr(place, part, None)
        if hasattr(place, "fp32_precision"):
            found[name] = place
    return found


def _put_kernels(values: tuple[Any, ...]) -> None:
    deterministic, warn_only, anomaly, cudnn, benchmark, matmul, tf32, precisions = values
    torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
    torch.autograd.set_detect_anomaly(anomaly)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn, benchmark
    if matmul is not None:
        torch.set_float32_matmul_precision(matmul)
    if tf32 is not None:
        torch.backends.cudnn.allow_tf32 = tf32
    for name, place in _precisions().items():
        place.fp32_precision = precisions[name]


PARTS: dict[str, _Part] = {
    "argv": _Part(lambda: sys.argv[:], lambda values: setattr(sys, "argv", values)),
    "path": _Part(lambda: sys.path[:], _put_list(sys.path)),
    "folder": _Part(_folder, _put_folder),
    "environment": _Part(lambda: dict(os.environ), _put_environment),
    "input": _Part(lambda: sys.stdin, lambda file: setattr(sys, "stdin", file)),
    "output": _Part(lambda: sys.stdout, lambda file: setattr(sys, "stdout", file)),
    "errors": _Part(lambda: sys.stderr, lambda file: setattr(sys, "stderr", file)),
    "hook": _Part(lambda: sys.excepthook, lambda hook: setattr(sys, "excepthook", hook)),
    "recursion": _Part(sys.getrecursionlimit, sys.setrecursionlimit),
    "logging": _Part(_logging, _put_logging),
    "warnings": _Part(lambda: (warnings.filters[:], warnings.showwarning), _put_warnings),
    "processes": _Part(
        lambda: multiprocessing.get_start_method(allow_none=True),
        # None forgets what was chosen, which the type's description does not say.
        lambda method: multiprocessing.set_start_method(method, force=True),
    ),
    "signals": _Part(_handlers, _put_handlers),
    "precision": _Part(torch.get_default_dtype, torch.set_default_dtype),
    "device": _Part(torch.get_default_device, _put_device),
    "threads": _Part(torch.get_num_threads, torch.set_num_threads),
    "gradients": _Part(torch.is_grad_enabled, torch.set_grad_enabled),
    "kernels": _Part(_kernels, _put_kernels),
    "random": _Part(random.getstate, random.setstate),
    "numpy": _Part(lambda: np.random.get_state(), np.random.set_state),
    "torch": _Part(torch.get_rng_state, torch.set_rng_state),
}
RANDOM = ("random", "numpy", "torch")
"""The parts that are generators of random numbers, which code may draw from as well as seed."""

UNTOLD = (*RANDOM, "device")
"""The parts that are put back without asking whether they changed.

Generators are as quickly put back as compared. A default device that is the processor by name is
told as none is, but leaves a mode of torch's in force, through which every operation goes.
"""


def surroundings() -> dict[str, Any]:
    """Return the present value of everything in `PARTS`, by its name."""
    return {name: part.read() for name, part in PARTS.items()}


def put(values: dict[str, Any]) -> None:
    """Give everything in `PARTS` that `values` names the value that it has there."""
    for name, value in values.items():
        part = PARTS[name]
        if name in UNTOLD or part.read() != value:
            part.write(value)


def seed(number: int) -> None:
    """Seed every generator that a network's first weights may be drawn from."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)
