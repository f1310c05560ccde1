"""Read changed files of every kind: nothing but one sentence may come of it (``make fuzz``).

It takes ten minutes, or as many seconds as are given. Hypothesis draws the changes; where atheris
is installed, it has half of the time, and its mutations follow the branches that they reach. What
goes wrong is written to ``build/fuzz``; once it is right, a small file that shows it belongs into
``tests/fuzz/corpus``, which every run begins with.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path

FOUND = Path("build/fuzz")
MINUTES = 10
ROUND = 50  # files that hypothesis draws before the clock is looked at
HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE))
os.environ |= {"OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}


def main() -> int:
    """Fuzz; exit code 1 if something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=60.0 * MINUTES)
    parser.add_argument("--only", metavar="TARGET", help="one of the targets")
    parser.add_argument("--atheris", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    from targets import TARGETS

    names = [args.only] if args.only else list(TARGETS)
    if args.atheris:
        return follow_branches(names[0], args.seconds)
    has_atheris = importlib.util.find_spec("atheris") is not None
    if not has_atheris:
        print("atheris is not installed (pip install atheris), so hypothesis has all of the time")
    share = args.seconds / len(names) / (2 if has_atheris else 1)
    wrong = 0
    for name in names:
        wrong += draw(name, share)
        if has_atheris:
            command = [sys.executable, str(HERE), str(share), "--only", name, "--atheris"]
            wrong += subprocess.run(command, check=False).returncode != 0
    print("nothing went wrong" if not wrong else f"{wrong} went wrong: see {FOUND}")
    return 1 if wrong else 0


def draw(name: str, seconds: float) -> int:
    """Try files that hypothesis draws; return how many different things went wrong."""
    import torch
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from mutations import changed_bytes, changed_header, changed_json, changed_member
    from seeds import seeds

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of torch and hypothesis, about numbers as odd as these
    files = seeds()[name]
    strategy = changed_bytes(files)
    if name in ("recipe", "state"):
        texts = [file for file in files if file[:1] in (b"{", b"[")]
        strategy = changed_json(texts) | changed_json(texts) | strategy
    elif name in ("session", "index"):
        strategy = changed_header(files) | changed_header(files) | strategy
    elif name == "archive":
        strategy = changed_member(files) | changed_member(files) | strategy
    known: set[str] = set()
    tries, until = 0, time.monotonic() + seconds

    def one(data: bytes) -> None:
        nonlocal tries
        if time.monotonic() > until:
            return
        tries += 1
        where = trial(name, data, known)
        if where:
            print(f"{name}: {where}", flush=True)

    for file in files:
        one(file)
    number = 0
    while time.monotonic() < until:
        number += 1
        run = settings(
            max_examples=ROUND,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(seeded(number)(given(strategy)(lambda data: one(data))))
        run()
    print(f"{name}: {tries:,} files, {len(known)} went wrong", flush=True)
    return len(known)


def trial(name: str, data: bytes, known: set[str]) -> str:
    """Try one file; return what went wrong if that is new, and keep the file."""
    from targets import tried

    try:
        started = time.monotonic()
        tried(name, data)
        if time.monotonic() - started > 20:
            raise TimeoutError("it took more than 20 s")
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "ldam_studio" in f.filename] or frames
        place = f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
        if place in known:
            return ""
        known.add(place)
        FOUND.mkdir(parents=True, exist_ok=True)
        kept = FOUND / f"{name}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
        return f"{place}: {str(error)[:200]} ({kept})"
    return ""


def follow_branches(name: str, seconds: float) -> int:
    """Let atheris mutate files; it ends the process itself."""
    import atheris
    from seeds import seeds

    with atheris.instrument_imports(include=["ldam_studio"]):
        from targets import tried
    start = FOUND / f"seeds-{name}"
    start.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()[name]):
        (start / str(number)).write_bytes(data)
    flags = [f"-max_total_time={seconds:.0f}", f"-artifact_prefix={FOUND}/{name}-"]
    atheris.Setup([sys.argv[0], *flags, str(start)], lambda data: tried(name, data))
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
