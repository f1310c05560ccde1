"""Open models of torchvision and timm and take steps in them: ``make zoo``.

These are every classification model of torchvision and one of each of many families of timm. Each
is built with random weights in a process of its own, so that the largest leaves nothing behind.
What is done is kept in ``build/zoo.json`` and not done again (``--again`` forgets it); once all
models of a library are done, its table is written to ``resources/zoo.md``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import families
import table
from measure import measure

KEPT = Path("build/zoo.json")
PAGE = Path("resources/zoo.md")


def main() -> int:
    """Run what is asked for; exit code 1 if a model does not do what it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "models", nargs="*", help="resnet18, timm:resnet10t, torchvision or timm; default: all"
    )
    parser.add_argument("--again", action="store_true", help="do again what is done")
    args = parser.parse_args()
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    libraries = every_model()
    rows = {} if args.again or not KEPT.exists() else json.loads(KEPT.read_text())
    wanted = [name for given in args.models or libraries for name in libraries.get(given, [given])]
    for number, name in enumerate(wanted, 1):
        if name in rows and not rows[name].get("error") and name not in args.models:
            continue
        print(f"{number}/{len(wanted)} {name} ...", file=sys.stderr, flush=True)
        rows[name] = _run_alone(name)
        print(f"    {table.in_words(rows[name])}", file=sys.stderr, flush=True)
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(rows, indent=1) + "\n")
    for library, names in libraries.items():
        if all(name in rows for name in names):
            table.write(PAGE, library, [rows[name] for name in names])
            print(f"written: {library} in {PAGE}")
    return 1 if any(rows[name].get("error") for name in wanted) else 0


def every_model() -> dict[str, list[str]]:
    """Return the names of each library's models, as they are given on the command line."""
    from torchvision import models

    timm = [f"timm:{name}" for name in families.TIMM.values()]
    return {"torchvision": models.list_models(module=models), "timm": timm}


def _run_alone(name: str) -> dict[str, object]:
    """Measure a model in a process of its own, which may also be ended for want of memory.

    It is forked from one that has imported torch and the libraries, which takes seconds.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["timm", "torchvision.models"])
    with ProcessPoolExecutor(1, context) as alone:
        try:
            return alone.submit(measure, name).result()
        except Exception as error:
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            return {"model": name.removeprefix("timm:"), "error": said}


if __name__ == "__main__":
    sys.exit(main())
