"""What runs on a worker: checking that it fits, opening the network, drawing batches."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from ldam_studio import __version__
from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.folder import INDEX, found_at, relative_path
from ldam_studio.atlas.orders import NetworkOrder, Order, code_path
from ldam_studio.atlas.pictures import AtlasRow, files_of, row_of
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import draw
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.explore.sheets.together import Measured, draw_together, measure
from ldam_studio.files import cache_folder, hash_of, is_regular, write_bytes, write_together
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.network import Network

_ONE = threading.Lock()
"""Threads of a worker take turns: a network serves one session at a time."""
MOST_LAYERS = 64
"""Layers of which a worker remembers how many neurons are best drawn together."""


@dataclass(frozen=True)
class Drawn:
    """What a worker says of a batch.

    Attributes
    ----------
    rows
        The neurons that were drawn.
    found
        Those whose files were there already, for example because a worker died during the batch.
    failed
        A sentence for each neuron that cannot be drawn.
    files
        The neurons' files by their places in the folder, if they are to travel back.
    seconds
        Time that drawing took.
    """

    rows: tuple[AtlasRow, ...]
    found: tuple[AtlasRow, ...]
    failed: tuple[str, ...]
    files: dict[Path, bytes]
    seconds: float


def unfitness(order: NetworkOrder) -> str:
    """Return why this worker cannot draw a network's neurons, after its name; empty if it can."""
    if order.program != __version__:
        return f"has LDAM Studio {__version__}, not {order.program}; install the same version there"
    if order.torch != str(torch.__version__):
        return f"has torch {torch.__version__}, not {order.torch}; install the same version there"
    try:
        with _ONE:
            network = opened(order)
    except StudioError as error:
        return f"cannot open the network: {error}"
    there = network.provenance.sha256
    if there != order.sha256:
        return (
            f"has other weights of {order.request.name} (SHA-256 {there[:12]}… instead of "
            f"{order.sha256[:12]}…); copy the file there"
        )
    return ""


@lru_cache(maxsize=1)
def opened(order: NetworkOrder) -> Network:
    """Return the network, which stays open for later batches.

    Raises
    ------
    StudioError
        If it cannot be opened, or own code is missing or differs.
    """
    request = order.request
    if order.code is not None:
        path = code_path(request.name)
        if order.code.data is not None:
            path = cache_folder() / "shipped-code" / order.code.sha256 / order.code.name
            if not is_regular(path) or hash_of(path) != order.code.sha256:
                write_bytes(path, order.code.data)
        assert path is not None
        if not is_regular(path):
            raise StudioError(f"There is no file {path}; copy it, or send it with --ship-code.")
        if hash_of(path) != order.code.sha256:
            raise StudioError(f"{path} differs; copy the file, or send it with --ship-code.")
        function = request.name.rpartition(":")[2]
        network = replace(request, name=f"{path}:{function}").open()
        network.name = request.name  # recipes name the file of the person who asked
        return network
    return request.open()


def draw_batch(batch: Sequence[Job], folder: Path, *, collect: bool) -> Drawn:
    """Draw neurons of one layer, each as in a session of its own, and write their files.

    A neuron whose file is there and whole is not drawn again.

    Parameters
    ----------
    folder
        That of the atlas. With `collect` nothing is written to it, and it need not exist.

    Raises
    ------
    StudioError
        If the worker does not fit, does not see the folder, or cannot write to it.
    """
    from distributed import get_worker

    address = get_worker().address
    reason = unfitness(batch[0].order.network)
    if not reason and not collect and not is_regular(folder / INDEX):
        reason = (
            f"does not see the folder {folder}; put the atlas on a disk that all workers share, or "
            "let the pictures travel back with --collect"
        )
    if reason:
        raise StudioError(f"The worker {address} {reason.rstrip('.')}.")
    threads = torch.get_num_threads()
    try:
        with _ONE:
            return _drawn(batch, opened(batch[0].order.network), folder, collect=collect)
    except StudioError as error:
        raise StudioError(f"The worker {address} had to stop: {error}") from None
    finally:
        torch.set_num_threads(threads)


def _drawn(batch: Sequence[Job], network: Network, folder: Path, *, collect: bool) -> Drawn:
    order = batch[0].order
    spec = order.spec(network, [job.neuron for job in batch])
    began = time.monotonic()
    rows, failed = list[AtlasRow](), list[str]()
    files: dict[Path, bytes] = {}
    there = {} if collect else {job: row for job in batch if (row := _whole(folder, job))}
    for group in _groups(spec, [job for job in batch if job not in there]):
        drawn = draw_together(spec, [job.neuron for job in group], _known(group[0]))
        for job in group:
            path = folder / relative_path(job.neuron, job.key)
            try:
                one = drawn.pop(job.neuron, None) or draw(spec, job.neuron, lambda: None)
                row = row_of(one, job.neuron.layer, job.key)
                made = files_of(one, row, spec.shown, path)
            except StudioError as error:
                failed.append(f"{job.neuron}: {str(error).removeprefix(f'{job.neuron}: ')}")
                continue
            if collect:
                files |= {each.relative_to(folder): data for each, data in made.items()}
            else:
                write_together(made)
            rows.append(row)
    found = tuple(there.values())
    return Drawn(tuple(rows), found, tuple(failed), files, time.monotonic() - began)


def _groups(spec: SheetSpec, jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Yield jobs that are drawn together: as many as is best, of neurons at one place."""
    places: dict[Place, list[Job]] = {}
    for job in jobs:
        places.setdefault(job.neuron.place, []).append(job)
    for there in places.values():
        known = _known(there[0])
        with contextlib.suppress(StudioError):  # drawing a neuron alone says what is wrong with it
            measure(spec, [job.neuron for job in there], known)
        left = deque(there)
        for groups in range(-(-len(there) // known.most), 0, -1):
            yield [left.popleft() for _ in range(-(-len(left) // groups))]


def _known(job: Job) -> Measured:
    """Return what this worker knows of drawing neurons like this one together."""
    return _measured(job.order, job.neuron.layer, job.neuron.place)


@lru_cache(maxsize=MOST_LAYERS)
def _measured(order: Order, layer: str, place: Place) -> Measured:
    return Measured()


def _whole(folder: Path, job: Job) -> AtlasRow | None:
    try:
        return found_at(folder / relative_path(job.neuron, job.key), job.neuron, job.key)
    except StudioError:
        return None  # it was said at the start, and is drawn again
