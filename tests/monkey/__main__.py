"""Play random actions on the studio: ``make monkey``.

Each seed is played in a process of its own, on a studio with a folder of its own. When something
goes wrong, shorter and shorter parts of what was played are tried, and the shortest that still
fails is written to ``build/monkey-SEED.jsonl``, which ``--script`` plays again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from shrink import shrink

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build"
SCRIPT, PROGRESS = "script.jsonl", "progress"  # in the folder of a process
ACTIONS, SEEDS, EVERY = 10_000, 5, 50
SHRINK_S = 900.0  # seconds for the shrinking of one failure


def main() -> int:
    """Play all seeds; return 1 if one fails."""
    parser = argparse.ArgumentParser(prog="make monkey", description=__doc__)
    parser.add_argument("--actions", type=int, default=ACTIONS, help="of all seeds together")
    parser.add_argument("--seed", type=int, action="append", help="may be given several times")
    parser.add_argument("--every", type=int, default=EVERY, help="actions between two checks")
    parser.add_argument("--script", type=Path, help="play this file of actions instead")
    parser.add_argument("--no-shrink", action="store_true", help="stop at the first failure")
    parser.add_argument("--play", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.play is not None:
        return play(args.play, args.every)
    if args.script is not None:
        return 1 if _run(args.script.resolve(), args.every).fault else 0
    seeds = args.seed or list(range(1, SEEDS + 1))
    BUILD.mkdir(exist_ok=True)
    failed = [seed for seed in seeds if not _seed(seed, args.actions // len(seeds), args)]
    print(f"monkey: {args.actions} actions, seeds {seeds}, failed: {failed or 'none'}")
    return 1 if failed else 0


@dataclass
class Played:
    """How a script went: how many actions were begun, and what went wrong first, if anything."""

    count: int
    fault: str


def _seed(seed: int, count: int, args: argparse.Namespace) -> bool:
    """Play one seed; return whether nothing went wrong."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
    import exploring  # noqa: F401  its actions join the table
    from actions import draw

    random, script = Random(seed), BUILD / f"monkey-{seed}.jsonl"
    written = [json.dumps(draw(random)) for _ in range(count)]
    script.write_text("\n".join(written) + "\n")
    print(f"seed {seed}", flush=True)
    done = _run(script, args.every)
    if not done.fault:
        return True
    played = written[: done.count]
    if not args.no_shrink:
        deadline = time.monotonic() + SHRINK_S

        def fails(part: list[str]) -> bool:
            if time.monotonic() > deadline:
                return False
            script.write_text("\n".join(part) + "\n")
            return _run(script, args.every, quiet=True).fault == done.fault

        played = shrink(played, fails)
    script.write_text("\n".join(played) + "\n")
    print("\n".join(played[-20:]))
    print(f"seed {seed} failed: {done.fault}")
    print(f"{len(played)} actions are in {script}; play them again with")
    print(f'    make monkey ARGS="--script {script.relative_to(ROOT)}"', flush=True)
    return False


def _run(script: Path, every: int, *, quiet: bool = False) -> Played:
    """Play a script in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="monkey-") as folder:
        environment = os.environ | {
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_WAIT_POLICY": "PASSIVE",
            "LDAM_STATE_DIR": f"{folder}/state",
            "LDAM_CACHE_DIR": f"{folder}/cache",
            "HOME": folder,
            "TMPDIR": folder,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            # Nothing is downloaded: a proxy that refuses.
            "https_proxy": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
        }
        shutil.copy(script, Path(folder) / SCRIPT)
        done = subprocess.run(
            [sys.executable, str(HERE), "--play", folder, "--every", str(every)],
            env=environment,
            stdout=subprocess.DEVNULL if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            check=False,
        )
        told = Path(folder) / PROGRESS
        count, _, fault = told.read_text().partition(" ") if told.exists() else ("0", "", "")
    if done.returncode and not fault:
        fault = f"the process ended with {done.returncode}"
    return Played(int(count), fault)


def kind_of(fault: str) -> str:
    """Return what makes two faults the same: the error and its place, or the sentence."""
    lines = fault.strip().splitlines()
    if not lines[0].startswith("Traceback"):
        return re.sub(r"[0-9.]+", "0", lines[0])
    places = [line.strip() for line in lines if line.strip().startswith("File ")]
    return f"{lines[-1].split(':')[0]} {places[-1]}"


def play(folder: Path, every: int) -> int:
    """Play the script in a folder in this process; stop at the first fault."""
    import exploring  # noqa: F401
    from actions import ACTIONS as TABLE
    from invariants import Leftovers, check, replays
    from player import Player

    script = [json.loads(line) for line in (folder / SCRIPT).read_text().splitlines()]
    progress = folder / PROGRESS
    leftovers = Leftovers()
    player = Player(folder)
    began, memory = time.monotonic(), 0.0
    for number, action in enumerate(script, 1):
        progress.write_text(str(number))
        values: dict[str, Any] = {**action}
        player.act(TABLE[values.pop("do")].act, values.pop("answer"), values)
        if not player.faults and (number % every == 0 or number == len(script)):
            with player.heart.resting():
                player.act(check, number, {})
        if number == min(500, len(script) // 2):
            memory = player.memory
        if player.faults:
            break
    if not player.faults:
        player.act(lambda player: player.close(), 0, {})
    grown, heart = player.memory - memory, player.heart
    player.end()
    replayed = 0
    if not player.faults:
        player.faults += leftovers.found()
        replayed, faults = replays(folder)
        player.faults += faults
    for fault in reversed(player.faults):  # the first one is written last
        print(f"FAULT {fault}")
        # The last line of a traceback says what went wrong; numbers in it may differ.
        progress.write_text(f"{number} {kind_of(fault)}")
    median, p99, longest = (1e3 * heart.percentile(share) for share in (0.5, 0.99, 1))
    print(
        f"{number} actions in {time.monotonic() - began:.0f} s, {len(player.faults)} faults; turns "
        f"of the event loop: median {median:.0f} ms, p99 {p99:.0f} ms, longest {longest:.0f} ms; "
        f"{player.undone} times all was undone and done again; {replayed} pictures replayed; "
        f"memory grew by {grown:.0f} MB"
    )
    slow = sorted(player.slowest.items(), key=lambda row: row[1], reverse=True)[:5]
    print("longest turns: " + ", ".join(f"{name} {turn:.1f} s" for name, turn in slow), flush=True)
    sys.stdout.flush()
    # As the studio itself does: Python would delete Qt's objects in arbitrary order.
    os._exit(1 if player.faults else 0)


if __name__ == "__main__":
    sys.exit(main())
