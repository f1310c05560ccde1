"""The files from which fuzzing starts: small ones of every kind, made here, and the corpus."""

from __future__ import annotations

import io
import pickle
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
"""Files that once went wrong, NAME-of-the-target followed by anything."""


def seeds() -> dict[str, list[bytes]]:
    """Return files for each target."""
    import torch

    from ldam_studio.engine.advance import advance
    from ldam_studio.engine.changes.change import Change
    from ldam_studio.engine.changes.chosen import Heated
    from ldam_studio.engine.comparison import LaneSpec
    from ldam_studio.engine.compute.device import choose
    from ldam_studio.engine.kept_modes import KeptMode
    from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
    from ldam_studio.engine.session import SessionSpec, open_session
    from ldam_studio.explore.sheets.folder import INDEX, SheetFolder
    from ldam_studio.explore.sheets.making import make, write_page
    from ldam_studio.explore.sheets.spec import SheetSpec
    from ldam_studio.export.archive.writing import write_archive
    from ldam_studio.export.exporting import export
    from ldam_studio.export.formats.table import read
    from ldam_studio.export.links import packed
    from ldam_studio.export.recipe import Recipe
    from ldam_studio.export.session_file import session_bytes
    from ldam_studio.export.shown import Shown
    from ldam_studio.networks.discriminators import open_discriminator
    from ldam_studio.networks.sources.opening import open_network

    network, twin = open_network("lenet"), open_network("lenet-averaged")
    neurons = network.default_neurons(2)
    plain = SessionSpec(network, neurons, device=choose("cpu"))
    beside = SessionSpec(
        network,
        neurons,
        device=choose("cpu"),
        discriminator=open_discriminator(),
        beside=(LaneSpec(twin),),
    )
    recipes, pictures, sessions, archives = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for spec in (plain, beside):
            state = open_session(spec)
            changes = [
                *(Change("l2", 0.1), Change("melt", 3), Change("heat", 4.0), Change("chains", 3)),
                *(Change("neurons", ("fc3:1", "fc3:2", "fc2:3")[:2]), Change("seed", 3)),
                *(Change("reset_average"), Change("network", twin), Change("learn_every", 0)),
                Change("picture", KeptPicture(torch.full((1, 28, 28), 0.2), "grey", "photograph")),
                *(Change("start_from", StartFrom(0, (0,), 0.1)), Change("rest", 0)),
                *(Change("hold", (0,)), Change("heat_some", Heated((1, 2), 4.0))),
                *(Change("restart_some", (2,)), Change("release", (0,)), Change("repulsion", 1.0)),
                *(Change("schedule_shape", "curves"), Change("temperature_curve", "0:1, 4:0.1")),
                *(Change("run_schedule"), Change("hold_schedule", True)),
                *(
                    Change("leave_schedule", "temperature"),
                    Change("keep_mode", KeptMode((2,), "m")),
                ),
                *(Change("forget_mode", 1), Change("keep", (0, 2)), Change("tempering", 2)),
            ]
            for change in changes:
                state, _ = advance(state, [change])
            path = export(state, Shown("raw"), Path(folder) / "a.png").path
            pictures.append(path.read_bytes())
            recipes.append(read(path)[0].text.encode())
            sessions.append(session_bytes(state, history=True))
            strip = Path(folder) / "filmstrip"
            strip.mkdir(exist_ok=True)
            (strip / "filmstrip.json").write_bytes(b'{"pins":["a"]}')
            (strip / "0123456789ab.png").write_bytes(pictures[-1])
            (strip / "0123456789ab.safetensors").write_bytes(sessions[-1])
            write_archive(Path(folder) / "a.ldam", state, WINDOW, strip)
            archives.append((Path(folder) / "a.ldam").read_bytes())
        sheet = SheetSpec(network, neurons, plain.settings, plain.device, chains=2, steps=2)
        made = list(make(sheet, SheetFolder(sheet, Path(folder) / "sheet")))
        write_page(sheet, made, "index", Path(folder) / "page.png")
        recipes.append(read(Path(folder) / "page.png")[0].text.encode())
        index = (Path(folder) / "sheet" / INDEX).read_bytes()
    file = io.BytesIO()
    torch.save({"state_dict": {"a.weight": torch.zeros(2, 3)}, "epoch": 3}, file)
    old = io.BytesIO()
    torch.save({"a": torch.ones(2)}, old, _use_new_zipfile_serialization=False)
    plain_pickle = pickle.dumps({"model": {"a": [1, 2.5, "x"]}}, protocol=4)
    found = {
        "recipe": recipes,
        "link": [*(packed(Recipe.parse(text.decode(), "")).encode() for text in recipes), *recipes],
        "picture": pictures,
        "session": sessions,
        "archive": archives,
        "weights": [file.getvalue(), old.getvalue(), plain_pickle, *sessions[:1]],
        "state": [*STATE, index],
        "photograph": _photographs(),
        "index": _index(),
    }
    for path in sorted(CORPUS.iterdir()):
        found[path.name.partition("-")[0]].append(path.read_bytes())
    return found


def _photographs() -> list[bytes]:
    from PIL import Image

    grey, found = Image.linear_gradient("L").resize((12, 9)), []
    for mode, kind in (
        *(("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("LA", "PNG"), ("P", "PNG")),
        *(("RGBA", "WEBP"), ("L", "BMP"), ("L", "PPM"), ("F", "TIFF"), ("1", "TIFF"), ("P", "GIF")),
    ):
        file = io.BytesIO()
        grey.convert(mode).save(file, kind)
        found.append(file.getvalue())
    file = io.BytesIO()
    grey.save(file, "GIF", save_all=True, append_images=[grey.rotate(90)])
    return [*found, file.getvalue()]


def _index() -> list[bytes]:
    """Return the files that indexing a few digits keeps."""
    from unittest.mock import patch

    from ldam_studio.explore.real_images import shards
    from ldam_studio.explore.real_images.indexing import build
    from ldam_studio.explore.real_images.sources import Spec
    from ldam_studio.networks.sources.opening import open_network

    with tempfile.TemporaryDirectory() as folder:
        with patch.object(shards, "folder", lambda: Path(folder)):
            build(open_network("lenet"), Spec("digits"), ["conv1", "fc3"], 4)
        return [path.read_bytes() for path in sorted(Path(folder).rglob(f"*{shards.SUFFIX}"))]


WINDOW = (
    b'{"title":"a","rows":["b"],"front":1,"mode":"image","scale":1.5,"hint":"c","max_rate":3,'
    b'"lane_titles":{"1":"d"},"features":{"agreement":{"always":true}},'
    b'"layout":{"across":[1,2,3],"middle":[4,5,6],"panels":{"neurons":false},"tab":"Modes"}}'
)
STATE = [
    b'{"version":1,"window":{"geometry":"AA==","across":[1,2],"middle":[3],"panels":{"a":true},'
    b'"theme":"dark"},"session":null,"unsaved":""}',
    b'{"version":1,"networks":[{"name":"lenet","weights":"/a","labels":null,"partial":false,'
    b'"pixels":{"channels":1,"height":28,"width":28,"mean":[0.5],"std":[0.5]}}]}',
    b'{"version":1,"networks":{"lenet":{"recent":["fc3:1"],"starred":["fc3:2@mean"]}}}',
    b'{"version":1,"presets":[{"name":"mine","settings":{"l2":0.1,"kernel":"mala"}}]}',
    b'{"what":"raw","zoom":8,"folder":"/tmp"}',
    b'{"what":"raw","width":85,"suffix":".svg","folder":"/tmp"}',
    b'{"version":1,"used":[{"sha256":"00","path":"/a"}]}',
    b'{"saved":1.5,"closed":true,"note":{"title":"a","network":"lenet"}}',
]
