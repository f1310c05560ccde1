"""Kill the studio at random moments and see what the next start makes of it: ``make kills``.

Each process of the studio is both the start after the last kill and the one that is killed next,
because a start takes seconds. It says where its session is a few times a second; what the next one
opens is compared with that.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KILLS = 200
OLDEST_S = 10.0  # the age of the session that the next start has
OPEN_S = 120.0  # for a start
LIVES_S = 14.0  # longest life of a studio after its start
KEPT_S = 3.0  # after so long a session must be on the disk for the first time
CRASHED = "did not close properly"
LARGE = "squeezenet1_0_imagenet.safetensors"


@dataclass
class Life:
    """What a process of the studio said until its end."""

    said: list[dict[str, Any]] = field(default_factory=list)
    killed: float | None = None  # when; None if it closed by itself
    errors: str = ""

    @property
    def began(self) -> dict[str, Any] | None:
        """The session that it opened at its start, and what it said of it."""
        return next((line for line in self.said if "began" in line), None)

    @property
    def places(self) -> list[tuple[float, tuple[int, int, int]]]:
        """When its session was where: seed, entries of the log, step."""
        found = [(line["t"], line.get("began", line.get("stamp"))) for line in self.said]
        return [(t, tuple(at)) for t, at in found if at is not None]

    @property
    def is_between(self) -> bool:
        """Whether it was opening or closing something when it was killed, or had just begun."""
        events = [line for line in self.said if not {"stamp", "began"} & line.keys()]
        last = events[-1] if events else {}
        assert self.killed is not None
        return "opened" not in last or self.killed - last["t"] < KEPT_S


def age(before: Life, at: tuple[int, int, int]) -> float | None:
    """Return how many seconds of a killed studio are lost; None if it never was there."""
    assert before.killed is not None
    places = before.places
    seed, *rest = at
    reached = [i for i, (_, (s, *r)) in enumerate(places) if s == seed and r <= rest]
    if not reached:
        return None
    return before.killed - places[reached[-1] + 1][0] if reached[-1] + 1 < len(places) else 0.0


def live(seed: int, folder: Path, large: Path, random: Random) -> Life:
    """Start a studio, let it live for a random time, and kill it, unless it closes before."""
    life = Life()
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_WAIT_POLICY": "PASSIVE",
        "LDAM_STATE_DIR": str(folder / "state"),
        "LDAM_CACHE_DIR": str(folder / "cache"),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, HERE / "studio.py", str(seed), folder / "files", large]
    with (folder / "errors.txt").open("w+") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        out = process.stdout.fileno()
        early = random.random() < 0.12  # is it killed while it starts?
        end = time.time() + (random.uniform(2.0, 8.0) if early else OPEN_S)
        rest = ""
        while time.time() < end and process.poll() is None:
            if select.select([out], [], [], 0.05)[0]:
                rest = _take(life, rest + os.read(out, 65_536).decode())
            if life.began is not None and end > time.time() + LIVES_S and not early:
                end = time.time() + random.uniform(0.3, LIVES_S)
        if process.poll() is None:
            life.killed = time.time()
            process.send_signal(signal.SIGKILL)
        process.wait()
        _take(life, rest + process.stdout.read().decode())
        process.stdout.close()
        errors.seek(0)
        life.errors = errors.read()
    return life


def _take(life: Life, text: str) -> str:
    """Take the whole lines of what was said, and return the rest."""
    *lines, rest = text.split("\n")
    life.said += [json.loads(line) for line in lines if line.startswith("{")]
    return rest


def broken_files(folder: Path, seen: set[tuple[Path, int]]) -> list[str]:
    """Return what is wrong with the files of the studio that were not there before."""
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.errors import StudioError
    from ldam_studio.export.formats.table import read
    from ldam_studio.export.session_file import read_session

    found = []
    for path in [*(folder / "state").rglob("*"), *(folder / "files").iterdir()]:
        if not path.is_file() or path.name.startswith(".") or path.name == "lock":
            continue
        key = path, path.stat().st_mtime_ns
        if key in seen:
            continue
        seen.add(key)
        try:
            match path.suffix:
                case ".json":
                    json.loads(path.read_text())
                case ".png":
                    read(path)
                case _:
                    read_session(path, Device("cpu"))
        except (StudioError, ValueError) as error:
            found.append(f"{path.name} is broken: {error}")
    return found


def temporaries(folder: Path) -> set[Path]:
    """Return files of sessions whose writing was cut off."""
    return {path for path in (folder / "state" / "sessions").rglob(".*") if path.is_file()}


def main() -> int:
    """Kill as often as is asked for; return 1 if something is lost or broken."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("kills", nargs="?", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    data = Path(os.environ.get("LDAM_DATA", ROOT.parent / "shared" / "data"))
    random, faults, ages = Random(args.seed), [], []
    kills, number, due = 0, 0, False
    running: Life | None = None  # the last one that had a session
    with tempfile.TemporaryDirectory(prefix="kills-") as named:
        folder, seen = Path(named), set()
        (folder / "files").mkdir()
        while kills < args.kills:
            number += 1
            left = temporaries(folder)
            life = live(1000 * args.seed + number, folder, data / "weights" / LARGE, random)
            wrong, began, lost = [], life.began, None
            if began is not None:
                if due is not None and due != (CRASHED in began["note"]):
                    wrong.append(f"due: {due}, but it said {began['note']!r}")
                if running is not None and running.killed is not None:
                    lost = age(running, tuple(began["began"]))
                    if lost is None:
                        wrong.append(f"{began['began']} is no session of {running.said[-8:]}")
                    else:
                        ages.append(lost)
                if lost is not None and lost > OLDEST_S:
                    wrong.append(f"the session is {lost:.1f} s old")
                if kept := left & temporaries(folder):
                    wrong.append(f"temporary files stay: {[path.name for path in kept]}")
                running = life
                due = life.killed is not None
                if due and life.is_between:
                    due = None  # it may have to be said or not
            elif life.killed is None:
                wrong.append("it ended without a session")
            if life.killed is not None:
                kills += 1
            if "Traceback" in life.errors:
                wrong.append(life.errors[-2000:])
            wrong += broken_files(folder, seen)
            faults += wrong
            how = "closed" if life.killed is None else "killed"
            said = "" if began is None else f", began {began['began']} ({began['note'][:60]})"
            old = "" if lost is None else f", {lost:.1f} s lost"
            print(f"{number}: {how}{said}{old}", flush=True)
            for sentence in wrong:
                print(f"    FAULT {sentence}", flush=True)
    print(
        f"{kills} kills of {number} studios: {len(faults)} faults; {len(ages)} sessions went on, "
        f"the oldest from {max(ages, default=0.0):.1f} s before its kill"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
