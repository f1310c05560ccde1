"""Draw atlases of shipped networks and of SqueezeNet, and check them: ``make atlas``.

They are written to ``build/atlas``, one folder each, by the command itself. What is drawn already
is not drawn again, so that it goes on where it was stopped (``--again`` draws anew). Then every
file is read, and a few that are drawn by lot are replayed to the same pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console
from rich.table import Table

from ldam_studio.atlas.pictures import AtlasRow, read_row
from ldam_studio.errors import StudioError
from ldam_studio.export.replay import compare

OUT = Path("build/atlas")
WEIGHTS = Path(os.environ.get("LDAM_DATA", "data"), "weights/squeezenet1_0_imagenet.safetensors")
SQUEEZENET = ("--network", "torchvision:squeezenet1_0", "--weights", str(WEIGHTS))
ATLASES = {
    "lenet": ("--network", "lenet", "--layers", "conv*", "fc*"),
    "vgg": ("--network", "vgg", "--layers", "conv*", "fc"),
    "squeezenet": (*SQUEEZENET, "--layers", "features.3", "features.4", "features.5"),
}
HEAD = ("atlas", "neurons", "drawn now", "seconds", "converged", "silent", "replayed", "wrong")


@dataclass(frozen=True)
class Looked:
    """What the files of an atlas say: its rows, those that were replayed, and what is wrong."""

    rows: Sequence[AtlasRow]
    replayed: int
    wrong: Sequence[str]


def main() -> int:
    """Draw and check what is asked for; exit code 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("atlases", nargs="*", choices=[*ATLASES, []], help="default: all")
    parser.add_argument("--most", type=int, metavar="N", help="neurons of each layer; default: all")
    parser.add_argument("--replays", type=int, default=3, metavar="N", help="of each; default 3")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the lot")
    parser.add_argument("--workers", metavar="N", help="default: as many as there are cores")
    parser.add_argument("--again", action="store_true", help="draw again what is drawn")
    args = parser.parse_args()
    table, good = Table(*HEAD), True
    for name in args.atlases or ATLASES:
        if name == "squeezenet" and not WEIGHTS.is_file():
            print(f"{name}: left out, because there is no {WEIGHTS}", file=sys.stderr)
            continue
        folder = OUT / (name if args.most is None else f"{name}-{args.most}")
        if args.again:
            shutil.rmtree(folder, ignore_errors=True)
        report = drawn(ATLASES[name], folder, args.most, args.workers)
        looked = look(folder, report, random.Random(args.seed), args.replays)
        good &= not looked.wrong
        table.add_row(name, *_cells(report, looked))
        for sentence in looked.wrong:
            print(f"{name}: {sentence}", file=sys.stderr)
    Console(width=110).print(table)
    print(f"in {OUT}; replayed were those of --seed {args.seed}")
    return 0 if good else 1


def drawn(
    words: Sequence[str], folder: Path, most: int | None, workers: str | None
) -> dict[str, Any]:
    """Run the command on one atlas; return its report."""
    some = () if most is None else ("--neurons", f"0-{most - 1}")
    how = () if workers is None else ("--workers", workers)
    command = [sys.executable, "-m", "ldam_studio", "atlas", *words, *some, *how]
    command += ["--device", "cpu", "--out", str(folder), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(done.returncode or 1)  # it said why, or was stopped
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def look(folder: Path, report: dict[str, Any], lot: random.Random, replays: int) -> Looked:
    """Read all files of an atlas, and replay some of them."""
    wrong, rows, paths = list(report["failed"]), list[AtlasRow](), list[Path]()
    for path in sorted(folder.rglob("*.png")):
        try:
            rows.append(read_row(path))
            paths.append(path)
        except StudioError as error:
            wrong.append(str(error))
    for layer, count in report["layers"].items():
        there = len({row.neuron for row in rows if row.layer == layer})
        if there != count:
            wrong.append(f"{there} of {count} neurons of {layer} have a file")
    chosen = lot.sample(paths, min(replays, len(paths)))
    wrong += [f"{path} is not replayed exactly" for path in chosen if not compare(path).identical]
    return Looked(rows, len(chosen), wrong)


def _cells(report: dict[str, Any], looked: Looked) -> list[str]:
    rows = looked.rows
    return [
        f"{len(rows):,}",
        f"{report['drawn']:,}",
        f"{report['seconds']:.0f}",
        f"{sum(row.converged for row in rows):,}",
        f"{sum(row.silent for row in rows):,}",
        str(looked.replayed),
        str(len(looked.wrong)),
    ]


if __name__ == "__main__":
    sys.exit(main())
