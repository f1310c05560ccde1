"""What workers send: it is the neurons that they were asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.folder import AtlasFolder, relative_path
from ldam_studio.atlas.pictures import row_of_whole
from ldam_studio.atlas.worker import Drawn
from ldam_studio.errors import StudioError, plain

REMEDY = "use workers that you know"


def checked(sent: object, batch: Sequence[Job], *, collect: bool) -> Drawn:
    """Return what a worker sent of a batch.

    Raises
    ------
    StudioError
        If it is something else than the neurons of the batch, each once, or a file that travelled
        back is not that of one of them.
    """
    layer = batch[0].neuron.layer
    if not isinstance(sent, Drawn):
        raise StudioError(f"A worker did not send neurons of {layer}; {REMEDY}.")
    if collect:
        _check_files(sent, batch)
    asked = {(str(job.neuron), job.key) for job in batch}
    told = [(row.neuron, row.key) for row in (*sent.rows, *sent.found)]
    once = set(told)
    if not once <= asked or not len(once) == len(told) == len(batch) - len(sent.failed):
        raise StudioError(f"A worker sent other neurons of {layer} than it was given; {REMEDY}.")
    return sent


def _check_files(sent: Drawn, batch: Sequence[Job]) -> None:
    """Check that names belong to the batch, and that pictures are whole and name their neurons."""
    places = {relative_path(job.neuron, job.key): job for job in batch}
    for path in sent.files:
        # A neuron may have a session file, too, whose name begins like the picture's.
        if path not in places and not any(
            path.parent == p.parent and path.name.startswith(p.stem) for p in places
        ):
            raise StudioError(
                f"A worker sent a file to be written as {plain(str(path), 200)}, where no picture "
                f"of {batch[0].neuron.layer} belongs; {REMEDY}."
            )
    drawn = {(row.neuron, row.key) for row in sent.rows}
    for path, job in places.items():
        named = (str(job.neuron), job.key)
        if named in drawn and _named_in(sent.files.get(path), path) != named:
            raise StudioError(f"A worker sent no whole picture of {job.neuron}; {REMEDY}.")


def _named_in(data: bytes | None, path: Path) -> tuple[str, str] | None:
    """Return the neuron and the key that a picture names; None if it is missing or damaged."""
    try:
        row = None if data is None else row_of_whole(data, path)
    except StudioError:
        return None
    return None if row is None else (row.neuron, row.key)


def placed(drawn: Drawn, folder: AtlasFolder) -> dict[Path, bytes]:
    """Return the files that a worker sent by where they are written."""
    return {folder.folder / path: data for path, data in drawn.files.items()}
