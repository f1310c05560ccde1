"""Making an atlas: what is missing in its folder is drawn, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.atlas.batches import AHEAD, Batches, Job
from ldam_studio.atlas.folder import AtlasFolder, folder_name, found_at, key_of
from ldam_studio.atlas.orders import Order
from ldam_studio.atlas.pictures import AtlasRow
from ldam_studio.atlas.worker import Drawn, draw_batch
from ldam_studio.errors import StudioError, in_short, plain
from ldam_studio.explore.sheets.folder import digest_of
from ldam_studio.files import write_together
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import tell

if TYPE_CHECKING:
    from distributed import Client

DOING = "drawing neurons"
POLL_S = 0.5
"""Seconds between two looks at the batches, and at whether the work is to end."""
ANSWERS_S = 30.0
"""Seconds after which a scheduler that does not answer is lost."""
AT_ONCE = 64
"""Batches whose results are fetched together, which limits the memory that they take here."""


@dataclass
class Looked:
    """What a folder has of an atlas, and what is to be drawn.

    `damaged` has a sentence for each file that is drawn again.
    """

    rows: list[AtlasRow] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def jobs_of(network: Network, order: Order, neurons: Sequence[Neuron]) -> Iterator[Job]:
    """Yield the jobs of neurons, all of one layer.

    Raises
    ------
    StudioError
        If a value is out of range.
    """
    sheet = digest_of(order.spec(network, neurons))
    for neuron in neurons:
        yield Job(order, neuron, key_of(sheet, neuron))


def look(folder: AtlasFolder, jobs: Iterable[Job]) -> Looked:
    """Read what is drawn already; each file is checked, as it may be cut off or altered."""
    looked, all_jobs = Looked(), list(jobs)
    for number, job in enumerate(all_jobs):
        tell("reading what is drawn", number, len(all_jobs))
        row = None
        try:
            row = found_at(folder.path(job.neuron, job.key), job.neuron, job.key)
        except StudioError as error:
            looked.damaged.append(str(error))
        if row is None:
            looked.jobs.append(job)
        else:
            looked.rows.append(row)
    return looked


def make(
    client: Client, folder: AtlasFolder, jobs: Sequence[Job], *, collect: bool
) -> Iterator[Drawn]:
    """Draw neurons on the workers of a cluster; yield each batch when its files are written.

    It tells how many neurons are done (`progress.tell`), which also stops it: batches that have not
    begun are then taken back.

    Parameters
    ----------
    collect
        Whether files travel back and are written here; otherwise the workers write them.

    Raises
    ------
    StudioError
        If a worker does not fit or cannot write, or the scheduler is lost.
    """
    from distributed import wait

    batches, running = Batches(jobs), dict[Any, tuple[Job, ...]]()
    done = 0
    try:
        while running or len(batches):
            _check_connected(client)
            workers = max(1, len(client.nthreads(callback_timeout=ANSWERS_S)))
            while len(running) < AHEAD * workers and (batch := batches.take(workers)):
                running[_submitted(client, batch, folder, collect=collect)] = batch
            tell(DOING, done, len(jobs))
            try:
                wait(list(running), timeout=POLL_S, return_when="FIRST_COMPLETED")
            except TimeoutError:
                continue
            ended = [each for each in running if each.done()][:AT_ONCE]
            errors = {each: each.exception() for each in ended}
            good = [each for each, error in errors.items() if error is None]
            for future, drawn in zip(good, _results(client, good), strict=True):
                batch = running.pop(future)
                batches.learn(batch[0].neuron.layer, len(drawn.rows), drawn.seconds)
                if drawn.files:
                    write_together(_placed(drawn, batch[0].neuron.layer, folder))
                done += len(batch)
                yield drawn
            for error in errors.values():
                if error is not None:
                    raise _failure(error)
        tell(DOING, done, len(jobs))
    except (CancelledError, OSError) as error:
        raise _lost(client) from error
    finally:
        if running and client.status == "running":
            client.cancel(list(running), force=True)


def _submitted(client: Client, batch: Sequence[Job], folder: AtlasFolder, *, collect: bool) -> Any:
    return client.submit(draw_batch, batch, folder.folder, collect=collect, pure=False)


def _results(client: Client, futures: Sequence[Any]) -> list[Drawn]:
    """Return results together: one by one, each would be a journey to scheduler and worker."""
    from distributed import KilledWorker

    try:
        results: list[Drawn] = client.gather(futures)
    except KilledWorker as error:  # also those that drew what another one lost
        raise _failure(error) from None
    return results


def _placed(drawn: Drawn, layer: str, folder: AtlasFolder) -> dict[Path, bytes]:
    """Return the files that a worker sent by their paths, all of them in the layer's folder."""
    for path in drawn.files:
        if path.parent != Path(folder_name(layer)) or path.name.startswith("."):
            raise StudioError(
                f"A worker sent a file to be written as {plain(str(path), 200)}, where no picture "
                f"of {layer} belongs; use workers that you know."
            )
    return {folder.folder / path: data for path, data in drawn.files.items()}


def _failure(error: BaseException) -> BaseException:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return StudioError(
            f"Several workers ended while they drew the same batch (the last one: "
            f"{error.last_worker.address}); they may have too little memory."
        )
    if isinstance(error, (CancelledError, StudioError)):
        return error
    return StudioError(f"A worker failed ({in_short(error)}); see what it prints.")


def _check_connected(client: Client) -> None:
    if client.status != "running":
        raise _lost(client)


def _lost(client: Client) -> StudioError:
    address = client.scheduler.address if client.scheduler is not None else "?"
    return StudioError(
        f"The connection to the scheduler {address} was lost; what was drawn is in the folder, and "
        "the same command goes on."
    )
