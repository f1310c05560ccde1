"""Open every classification model of torchvision and take steps in it: ``make zoo``.

Each model is built with random weights in a process of its own, so that the largest leaves nothing
behind. What is done is kept in ``build/zoo.json`` and not done again (``--again`` forgets it); once
all are done, the table is written to ``resources/zoo.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import table

KEPT = Path("build/zoo.json")


def main() -> int:
    """Run what is asked for; exit code 1 if a model does not do what it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="default: all")
    parser.add_argument("--again", action="store_true", help="do again what is done")
    args = parser.parse_args()
    from torchvision import models

    every = models.list_models(module=models)
    rows = {} if args.again or not KEPT.exists() else json.loads(KEPT.read_text())
    wanted = args.models or every
    for number, name in enumerate(wanted, 1):
        if name in rows and not rows[name].get("error") and not args.models:
            continue
        print(f"{number}/{len(wanted)} {name} ...", file=sys.stderr, flush=True)
        rows[name] = _run_alone(name)
        print(f"    {table.in_words(rows[name])}", file=sys.stderr, flush=True)
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(rows, indent=1) + "\n")
    if all(name in rows for name in every):
        Path("resources/zoo.md").write_text(table.markdown([rows[name] for name in every]))
        print("written: resources/zoo.md")
    return 1 if any(rows[name].get("error") for name in wanted) else 0


def _run_alone(name: str) -> dict[str, object]:
    """Measure a model in a process of its own, which may also be ended for want of memory."""
    script = Path(__file__).with_name("measure.py")
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(script), name], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return {"model": name, "error": said[-1] if said else f"exit code {done.returncode}"}
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return row


if __name__ == "__main__":
    sys.exit(main())
