"""A Dask cluster: one on this computer, or a scheduler that runs already."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ldam_studio import __version__
from ldam_studio.atlas.asking import ANSWERS_S, POLL_S, SilentError, answer_of
from ldam_studio.atlas.orders import NetworkOrder
from ldam_studio.atlas.worker import unfitness
from ldam_studio.errors import StudioError, in_short
from ldam_studio.progress import tell

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 10.0
WORKERS_S = 60.0
"""Seconds to wait for a scheduler, and for the first of its workers."""
OPENS_S = 900.0
"""Seconds in which every worker opens the network, which may download weights."""
NAMED = 3
"""Workers that a sentence names."""
MISSING = ("ModuleNotFoundError", "ImportError", "AttributeError")
"""Errors, in the words in which Dask passes them on, of a worker that lacks what it is to call."""
CALM = {
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ": {
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 1,
        "OPENBLAS_NUM_THREADS": 1,
    },
}
"""Dask's settings for a local cluster. Its own look at each process 50 to 100 times a second, which
takes some of the processors' time from drawing, and give freed memory back at once, which takes
more, as every step needs it again."""
SHARED = ("distributed", "dask")
"""Packages of which client and scheduler need the same version."""


def cores() -> int:
    """Return how many processor cores this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_installed() -> None:
    """Raise `StudioError` if Dask is not installed."""
    if importlib.util.find_spec("distributed") is None:
        raise StudioError(
            "An atlas is drawn by Dask, which is not installed: pip install 'ldam-studio[atlas]'."
        )


@contextmanager
def local_cluster(workers: int, *, processes: bool = True) -> Iterator[Client]:
    """Run workers with one thread each on this computer.

    Parameters
    ----------
    processes
        Whether each is a process of its own; otherwise they are threads that take turns.
    """
    check_installed()
    import dask.config
    from distributed import Client, LocalCluster

    with (
        dask.config.set(CALM),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=processes,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            preload=["ldam_studio.atlas.undisturbed"] if processes else [],
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def scheduler_at(address: str) -> Iterator[Client]:
    """Connect to a scheduler.

    Raises
    ------
    StudioError
        If there is none, it has another version of Dask or of this program, or has no worker.
    """
    check_installed()
    from distributed import Client

    _quieten()
    try:
        # A client that fails to connect leaves its thread behind. Dask's own time does not end
        # its waiting for the first words of whoever listens there.
        there = asyncio.run(asyncio.wait_for(_reached(address), 2 * CONNECT_S))
    except Exception as error:  # of what is no scheduler, Dask understands the words in any way
        raise _none_at(address, error) from None
    check_versions(there, address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are checked above
            client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError, TypeError) as error:
        raise _none_at(address, error) from None
    try:
        check_scheduler(client, address)
        _wait_for_worker(client, address)
        yield client
    finally:
        with suppress(TimeoutError):
            client.close(timeout=CONNECT_S)


def _none_at(address: str, error: Exception) -> StudioError:
    usual = isinstance(error, (OSError, ValueError, TypeError))
    why = in_short(error) if usual else "what listens there says something else"
    return StudioError(
        f"There is no scheduler at {address} ({why}); start one with dask scheduler, and give the "
        "address that it prints."
    )


def _wait_for_worker(client: Client, address: str) -> None:
    ends = time.monotonic() + WORKERS_S
    while not answer_of(client, client.nthreads(asynchronous=True), _looking):
        if time.monotonic() > ends:
            raise StudioError(
                f"The scheduler at {address} has no worker; start some with dask worker {address}."
            )
        _looking()
        time.sleep(POLL_S)


def _looking() -> None:
    tell("looking for workers")


def _quieten() -> None:
    """Silence the loggers of Dask, each of which has a level of its own."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


async def _reached(address: str) -> Mapping[str, Any]:
    """Return the versions of packages on a scheduler; a client of another version cannot ask."""
    asked = asyncio.ensure_future(_versions(address))
    while not (await asyncio.wait([asked], timeout=POLL_S))[0]:
        _looking()
    return asked.result()


async def _versions(address: str) -> Mapping[str, Any]:
    from distributed import Security
    from distributed.comm.core import connect
    from distributed.core import send_recv

    secured = Security().get_connection_args("client")  # from Dask's settings, for tls://
    comm = await connect(address, timeout=CONNECT_S, **secured)
    try:
        said: Mapping[str, Any] = await send_recv(comm, op="versions", packages=[])
    finally:
        await comm.close()
    return said


def check_versions(there: Mapping[str, Any], address: str) -> None:
    """Raise `StudioError` if a scheduler has another version of Dask than this program.

    Parameters
    ----------
    there
        What it says of itself, as `Client.get_versions` returns it.
    """
    from distributed.versions import get_versions

    here = get_versions()["packages"]
    versions = there.get("packages", {}) if isinstance(there, Mapping) else {}
    for name in SHARED:
        if here.get(name) != versions.get(name):
            raise StudioError(
                f"The scheduler at {address} has {name} {versions.get(name)}, and this program "
                f"{here.get(name)}; install the same version in both places."
            )


def check_scheduler(client: Client, address: str) -> None:
    """Raise `StudioError` if a scheduler cannot read tasks, which have this program's classes."""
    try:
        question = client.run_on_scheduler(_version, asynchronous=True)
        there = answer_of(client, question, _looking)
    except StudioError:
        raise
    except Exception as error:
        raise StudioError(
            f"The scheduler at {address} has no LDAM Studio, or an older one ({in_short(error)}); "
            "install the same version there, and start it again."
        ) from None
    if there != __version__:
        raise StudioError(
            f"The scheduler at {address} has LDAM Studio {there}, and this program is "
            f"{__version__}; install the same version there, and start it again."
        )


def _version() -> str:
    return __version__


def check_workers(client: Client, order: NetworkOrder) -> None:
    """Raise `StudioError` that names the first worker which cannot draw the network's neurons."""
    question = client.run(unfitness, order, on_error="return", asynchronous=True)
    try:
        said = answer_of(client, question, _asking, OPENS_S)
    except SilentError:
        raise StudioError(_unanswered(client)) from None
    for address, answer in sorted(said.items()):
        if isinstance(answer, BaseException) and any(name in repr(answer) for name in MISSING):
            answer = (
                f"has no LDAM Studio, or an older one ({in_short(answer)}); install the same "
                "version there"
            )
        elif isinstance(answer, BaseException):
            answer = f"cannot be used ({in_short(answer)}); see what it prints"
        elif not isinstance(answer, str):
            answer = "does not say whether it fits; use workers that you know"
        if answer:
            raise StudioError(f"The worker {address} {answer.rstrip('.')}.")


def _asking() -> None:
    tell("asking the workers whether they fit")


def _unanswered(client: Client) -> str:
    """Return a sentence that names the workers which do not answer a short question, either."""
    addresses = answer_of(client, client.nthreads(asynchronous=True), _asking)
    answered = answer_of(client, _answering(client, addresses), _asking, 3 * ANSWERS_S)
    silent = sorted(set(addresses) - answered)
    named = ", ".join(silent[:NAMED]) + (f" and {len(silent) - NAMED} more" * (len(silent) > NAMED))
    return (
        f"The workers {named or 'of the scheduler'} did not say within {OPENS_S / 60:.0f} minutes "
        "whether they fit; end those that hang, and start others."
    )


async def _answering(client: Client, addresses: Iterable[str]) -> set[str]:
    """Return the workers that answer at all."""

    async def answers(address: str) -> bool:
        question = client.run(_version, workers=[address], on_error="ignore", asynchronous=True)
        try:
            return bool(await asyncio.wait_for(question, ANSWERS_S))
        except (TimeoutError, OSError):
            return False

    told = await asyncio.gather(*map(answers, addresses))
    return {address for address, said in zip(addresses, told, strict=True) if said}


def dashboard(client: Client) -> str | None:
    """Return the address of Dask's dashboard; None if there is none."""
    scheduler: Any = client.scheduler
    there = answer_of(client, scheduler.versions(packages=["bokeh"]), _asking)
    # Without bokeh, its address shows a page that says so.
    return None if there["packages"].get("bokeh") is None else client.dashboard_link
