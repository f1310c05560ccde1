"""What is fuzzed: each target takes the bytes of a file and may raise `StudioError` alone."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ldam_studio.errors import StudioError

MOST_STEPS, MOST_VALUES = 4, 30_000
"""Steps that a mutated recipe is replayed, and the most pixels of all its chains together."""


def recipe(data: bytes) -> None:
    """Read a recipe, whose hash is made to fit, and run a few of its steps."""
    from ldam_studio.export.contact_sheet import drawn_again
    from ldam_studio.export.locate import Nearby
    from ldam_studio.export.recipe import Recipe, _hash
    from ldam_studio.export.rerun import rerun, spec_at_export

    text = data.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, dict):
            found.pop("sha256", None)
            text = json.dumps(found | {"sha256": _hash(found)})
    read = Recipe.parse(text, "fuzz.png")
    nearby = Nearby(Path(tempfile.gettempdir()) / "nothing is here")
    spec = spec_at_export(read, nearby)
    if len(spec.neurons) * spec.network.pixels.height * spec.network.pixels.width > MOST_VALUES:
        return

    def on_step(done: int, _total: int) -> bool:
        return done < MOST_STEPS

    if read.said.sheet is None:
        rerun(read, nearby, on_step)
    else:
        drawn_again(read, read.said.sheet, lambda own, step: rerun(own, nearby, step), on_step)


def link(data: bytes) -> None:
    """Read a link: the letters as they are, and what they would be if all of it were compressed."""
    import base64
    import zlib

    from ldam_studio.export.links import PREFIX, VERSION, _words, unpacked

    with suppress(StudioError):
        unpacked(data.decode("utf-8", "replace"))
    work = zlib.compressobj(zdict=_words(VERSION))
    compressed = work.compress(data) + work.flush()
    unpacked(PREFIX + VERSION + base64.urlsafe_b64encode(compressed).decode())


def picture(data: bytes) -> None:
    """Read an exported picture."""
    from ldam_studio.export.formats.table import read

    with _written(data, "fuzz.png") as path:
        read(path)


def session(data: bytes) -> None:
    """Read a session file."""
    from ldam_studio.export.locate import Nearby
    from ldam_studio.export.session_file import SUFFIX, read_session

    with _written(data, f"fuzz{SUFFIX}") as path:
        read_session(path, opener=Nearby(path.parent / "nothing is here"))


def archive(data: bytes) -> None:
    """Read a session file with its window and filmstrip, and open its session."""
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.export.archive.reading import read_saved
    from ldam_studio.export.locate import Nearby
    from ldam_studio.gui.opening.saved import saved_opening

    with _written(data, "fuzz.ldam") as path:
        saved_opening(path, Device())
        saved = read_saved(path)
        saved.unpack_filmstrip(path.parent)
        assert {file.name for file in path.parent.iterdir()} <= {path.name, "filmstrip"}
        saved.session(Nearby(path.parent / "nothing is here"))


def weights(data: bytes) -> None:
    """Read a file of weights, and look at its header as the watcher does."""
    from ldam_studio.networks.weights.checkpoint_headers import examine
    from ldam_studio.networks.weights.checkpoints import stamp_of
    from ldam_studio.networks.weights.weights import read_saved

    with _written(data, "fuzz.pt") as path:
        examine(path, stamp_of(path.stat()))
        read_saved(path)


def state(data: bytes) -> None:
    """Read every file of the state folder as if it had this content."""
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.plans import cache
    from ldam_studio.explore.sheets.folder import INDEX, read_index
    from ldam_studio.export.known import is_known
    from ldam_studio.gui.exporting.figure_dialog import FigureChoice
    from ldam_studio.gui.exporting.last_choice import Choice
    from ldam_studio.gui.last_choice import LastChoice
    from ldam_studio.gui.picker.memory import NeuronMemory
    from ldam_studio.gui.recorder.choice import LastRecording
    from ldam_studio.gui.session.store import SessionStore
    from ldam_studio.networks.sources.request import RecentNetworks
    from ldam_studio.user_presets import UserPresets

    with _written(data, "presets.json") as path:
        folder = path.parent
        with suppress(StudioError):
            UserPresets(folder).read()
        for name in (
            "window",
            "networks",
            "neurons",
            "export",
            "figure",
            "recording",
            "known-files",
            "plans",
        ):
            (folder / f"{name}.json").write_bytes(data)
        (folder / INDEX).write_bytes(data)
        os.environ["LDAM_STATE_DIR"] = os.environ["LDAM_CACHE_DIR"] = str(folder)
        kept = folder / "sessions" / "one"
        kept.mkdir(parents=True)
        (kept / "000001.json").write_bytes(data)
        (kept / "000001.ldam-session.safetensors").write_bytes(b"")
        for read in (
            lambda: SessionStore(folder).recall(Device()),
            RecentNetworks(folder / "networks.json").read,
            lambda: NeuronMemory(folder / "neurons.json"),
            LastChoice(Choice(), folder / "export.json").read,
            LastChoice(LastRecording(), folder / "recording.json").read,
            LastChoice(FigureChoice(), folder / "figure.json").read,
            lambda: is_known("0" * 64),
            cache._read,
            lambda: read_index(folder),
        ):
            with suppress(StudioError):
                read()


def photograph(data: bytes) -> None:
    """Read a picture as a photograph, for a network of grey and one of colour images."""
    from ldam_studio.engine.photographs import bring
    from ldam_studio.explore.real_images.pictures import fitted
    from ldam_studio.networks.pixels import PixelSpec
    from ldam_studio.training.pictures import NotAPictureError, decoded

    for channels in (1, 3):
        pixels = PixelSpec(channels, 8, 8, (0.5,) * channels, (0.5,) * channels)
        with suppress(NotAPictureError):
            fitted(decoded(data, 8).picture, pixels)
        with suppress(StudioError), _written(data, "fuzz.png") as path:
            bring(path, pixels)


def index(data: bytes) -> None:
    """Read what is kept of real images as if it had this content."""
    from ldam_studio.explore.real_images import catalogue, shards
    from ldam_studio.explore.real_images.sources import Spec
    from ldam_studio.networks.sources.opening import open_network

    with _written(data, f"fuzz{shards.SUFFIX}") as path:
        shard = shards.read(path)
        if shard is not None:
            network = open_network("lenet")
            for layer in network.layers:
                if layer.name in shard.layers:
                    shard.is_sound(layer)
        os.environ["LDAM_CACHE_DIR"] = str(path.parent)
        for spec in (Spec("digits"), Spec("folder", "/fuzz")):
            kept = catalogue._path(spec, 0)
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(data)
            catalogue.read_catalogue(spec, 0)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "recipe": recipe,
    "link": link,
    "picture": picture,
    "session": session,
    "archive": archive,
    "weights": weights,
    "state": state,
    "photograph": photograph,
    "index": index,
}


def tried(name: str, data: bytes) -> None:
    """Run a target; everything but a `StudioError` of one plain line is raised."""
    try:
        TARGETS[name](data)
    except StudioError as error:
        said = str(error)
        assert said and said.isprintable() and "Error:" not in said, said


@contextmanager
def _written(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path
