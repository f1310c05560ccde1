"""Measure what the studio promises: ``make bench``.

Prints a table and writes ``build/bench.json``, a list of ``{name, value, bound, met}``. Every value
is a ratio or a distribution from one run, because machines differ and are shared. Behind some is a
95 % interval, over the repetitions of that run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

import agreement
import atlas_plan
import atlas_speed
import chosen
import crops
import everything
import kernels
import live
import memory
import modes
import other_tools
import page
import photograph
import picker
import plans
import real_images
import recording
import sampler_speed
import schedules
import sheet
import side_by_side
import startup
import step
import swaps
import wall
import watching
import window
from rich.console import Console
from rich.table import Table
from row import Row

PARTS = {
    "sampler": sampler_speed.measure,
    "window": window.measure,
    "live": live.measure,
    "chosen": chosen.measure,
    "startup": startup.measure,
    "memory": memory.measure,
    "everything": everything.measure,
    "modes": modes.measure,
    "crops": crops.measure,
    "picker": picker.measure,
    "plan": plans.measure,
    "other": other_tools.measure,
    "watching": watching.measure,
    "swaps": swaps.measure,
    "compare": side_by_side.measure,
    "step": step.measure,
    "agreement": agreement.measure,
    "wall": wall.measure,
    "kernels": kernels.measure,
    "schedules": schedules.measure,
    "sheet": sheet.measure,
    "photograph": photograph.measure,
    "real": real_images.measure,
    "recording": recording.measure,
    "page": page.measure,
    "atlas": atlas_speed.measure,
    "atlasplan": atlas_plan.measure,
}
OUT = Path("build/bench.json")


def main() -> int:
    """Run the parts asked for and report; exit code 1 if a bound is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--short", action="store_true", help="atlas, atlasplan, page: less")
    parser.add_argument(
        "--price", type=float, metavar="P", help="atlasplan: what an hour of one core costs you"
    )
    args = parser.parse_args()
    measures = PARTS | {
        "page": partial(page.measure, short=args.short),
        "atlas": partial(atlas_speed.measure, short=args.short),
        "atlasplan": partial(atlas_plan.measure, short=args.short, price=args.price),
    }
    rows: list[Row] = []
    for part in args.parts or PARTS:
        print(f"measuring: {part} ...", file=sys.stderr, flush=True)
        rows += measures[part]()
    table = Table("what", "measured", "bound", "met")
    for row in rows:
        met = "" if not row.bound else "yes" if row.met else "NO"
        table.add_row(row.name, row.measured, row.bound, met)
    Console(width=110).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([row.json() for row in rows], indent=1) + "\n")
    print(f"written: {OUT}")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
