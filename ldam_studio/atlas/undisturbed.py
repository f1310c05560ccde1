"""What each process of a local cluster runs first: Ctrl-C is for the command, which ends them."""

from __future__ import annotations

import signal


def dask_setup(_worker: object) -> None:
    """Ignore SIGINT, which a terminal sends to all processes; Dask calls this in a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
