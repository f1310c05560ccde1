"""Making an atlas: what is missing in its folder is drawn, batch by batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ldam_studio.atlas.asking import ANSWERS_S, SilentError, answer_of, lost
from ldam_studio.atlas.batches import AHEAD, Batches, Job
from ldam_studio.atlas.folder import AtlasFolder, found_at, key_of
from ldam_studio.atlas.orders import Order
from ldam_studio.atlas.pictures import AtlasRow
from ldam_studio.atlas.receiving import checked, placed
from ldam_studio.atlas.worker import Drawn, draw_batch
from ldam_studio.errors import StudioError, in_short
from ldam_studio.explore.sheets.folder import digest_of
from ldam_studio.files import is_regular, write_together
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import tell

if TYPE_CHECKING:
    from distributed import Client

DOING = "drawing neurons"
NOBODY = "waiting for a worker"
HUNG = "waiting for a worker that does not answer"
POLL_S = 0.5
"""Seconds between two looks at the batches, and at whether the work is to end."""
HANDED_OVER_S = 900.0
"""Seconds in which workers hand over what they have drawn. Dask itself gives a silent worker up
after five to ten minutes, and its batch to another one."""
ANY = ""
"""Whichever worker comes first, while there is none."""
AT_ONCE = 64
"""Batches whose results are fetched together at most."""
ROOM = 2**26
"""Bytes of files that are fetched together; a single batch may have more."""


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
    spec, code = order.spec(network, neurons), order.network.own_code
    sheet = digest_of(spec, code)
    former = None if code is None else digest_of(spec)  # with the path of the code
    for neuron in neurons:
        job = Job(order, neuron, key_of(sheet, neuron))
        yield job if former is None else replace(job, former=key_of(former, neuron))


def look(folder: AtlasFolder, jobs: Iterable[Job]) -> Looked:
    """Read what is drawn already; each file is checked, as it may be cut off or altered.

    Raises
    ------
    StudioError
        If something else than a file is where a neuron's belongs.
    """
    looked, all_jobs = Looked(), list(jobs)
    for number, job in enumerate(all_jobs):
        tell("reading what is drawn", number, len(all_jobs))
        row, path = None, folder.path(job.neuron, job.key)
        try:
            row = found_at(path, job.neuron, job.key)
            if row is None and job.former is not None:
                path = folder.path(job.neuron, job.former)
                row = found_at(path, job.neuron, job.former)
        except StudioError as error:
            if not is_regular(path):
                raise StudioError(f"{path} is not a file, as a neuron's is; remove it.") from None
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

    batches, running = Batches(jobs), dict[Any, tuple[str, tuple[Job, ...]]]()
    done, bytes_each = 0, dict[str, float]()  # those of a neuron's files, by layer
    try:
        while running or len(batches):
            _check_connected(client)
            told = (DOING, done, len(jobs))
            there = answer_of(client, client.nthreads(asynchronous=True), partial(tell, *told))
            workers = list(there) or [ANY]
            has = Counter(worker for worker, _batch in running.values())
            while has[worker := min(workers, key=lambda each: has[each])] < AHEAD:
                if not (batch := batches.take(worker, len(workers))):
                    break
                future = _submitted(client, batch, folder, worker, collect=collect)
                running[future] = worker, batch
                has[worker] += 1
            tell(DOING if there else NOBODY, done, len(jobs))
            try:
                wait(list(running), timeout=POLL_S, return_when="FIRST_COMPLETED")
            except TimeoutError:
                continue
            done_now = {each: batch for each, (_, batch) in running.items() if each.done()}
            ended = _together(done_now, bytes_each)
            errors = {each: each.exception() for each in ended}
            good = [each for each, error in errors.items() if error is None]
            for future, sent in zip(good, _results(client, good, told), strict=True):
                # Workers keep results as long as anybody has their futures.
                _, batch = running.pop(future)
                drawn = checked(sent, batch, collect=collect)
                layer, size = batch[0].neuron.layer, sum(map(len, drawn.files.values()))
                batches.learn(layer, len(drawn.rows), drawn.seconds)
                bytes_each[layer] = max(bytes_each.get(layer, 0.0), size / len(batch))
                if collect:
                    write_together(placed(drawn, folder))
                done += len(batch)
                yield drawn
            for error in errors.values():
                if error is not None:
                    raise _failure(error)
        tell(DOING, done, len(jobs))
    except (CancelledError, OSError) as error:
        raise lost(client) from error
    finally:
        if running and client.status == "running":
            client.cancel(list(running), force=True)


def _submitted(
    client: Client, batch: Sequence[Job], folder: AtlasFolder, worker: str, *, collect: bool
) -> Any:
    # If the worker leaves, or another one has nothing to do, Dask lets that draw the batch.
    where = {} if worker == ANY else {"workers": [worker], "allow_other_workers": True}
    return client.submit(draw_batch, batch, folder.folder, collect=collect, pure=False, **where)


def _together(ended: dict[Any, tuple[Job, ...]], bytes_each: Mapping[str, float]) -> list[Any]:
    """Return which batches are fetched together; the first one of a layer is fetched alone."""
    chosen, room = list[Any](), float(ROOM)
    for future, batch in ended.items():
        size = len(batch) * bytes_each.get(batch[0].neuron.layer, ROOM)
        if chosen and (len(chosen) == AT_ONCE or size > room):
            break
        chosen.append(future)
        room -= size
    return chosen


def _results(client: Client, futures: list[Any], told: tuple[str, int, int]) -> list[Any]:
    """Return results together: one by one, each would be a journey to scheduler and worker."""
    begun = time.monotonic()

    def say() -> None:
        if time.monotonic() - begun < ANSWERS_S:
            tell(*told)
        else:  # either a worker or the scheduler
            hung = partial(tell, HUNG, *told[1:])
            answer_of(client, client.nthreads(asynchronous=True), hung)
            hung()

    try:
        question = client.gather(futures, asynchronous=True)
        results: list[Any] = answer_of(client, question, say, HANDED_OVER_S)
    except SilentError:
        if time.monotonic() - begun < HANDED_OVER_S:
            raise  # it is the scheduler
        raise _not_handed_over(client, futures, say) from None
    except Exception as error:  # also of those that drew what another one lost
        raise _failure(error) from None
    return results


def _not_handed_over(client: Client, futures: list[Any], still: Callable[[], None]) -> StudioError:
    scheduler: Any = client.scheduler
    there = answer_of(client, scheduler.who_has(keys=[each.key for each in futures]), still)
    named = ", ".join(sorted({address for addresses in there.values() for address in addresses}))
    return StudioError(
        f"What was drawn did not arrive within {HANDED_OVER_S / 60:.0f} minutes from the workers "
        f"{named or '?'}; end those that hang, and the same command goes on."
    )


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
        raise lost(client)
