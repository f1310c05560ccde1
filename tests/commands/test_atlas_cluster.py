"""`ldam-studio atlas` with a scheduler and a worker that are processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ldam_studio.atlas.cluster import local_cluster
from ldam_studio.atlas.orders import NetworkOrder
from ldam_studio.cli import main
from ldam_studio.commands import atlas
from ldam_studio.networks.sources.opening import open_network

FAST = ("--steps", "20", "--chains", "2", "--burn-in", "0")
CODE = """
import torch
from torch import nn
def net():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    net.pixels = dict(channels=1, height=8, width=8, mean=(0.5,), std=(0.5,))
    return net.eval()
"""

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True, scope="module")
def _offload():
    """Start the thread that Dask keeps for the whole process."""
    from distributed.utils import offload

    asyncio.run(offload(int))


@contextmanager
def ended(words: list[str], **named: object) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen([sys.executable, "-m", *words], **named)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def waited_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists() or not path.stat().st_size:
        assert process.poll() is None
        time.sleep(0.05)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Run a scheduler and a worker, which works in a folder of its own with a cache of its own."""
    there = folder / "there"
    there.mkdir(parents=True)
    known, quiet = there / "scheduler.json", subprocess.DEVNULL
    named = {"stdout": quiet, "stderr": quiet, "cwd": there}
    environment = {**os.environ, "LDAM_CACHE_DIR": str(there / "cache")}
    scheduler = ["dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    worker = ["dask", "worker", "--scheduler-file", str(known), "--nthreads", "1", "--no-nanny"]
    worker += ["--no-dashboard", "--local-directory", str(there), "--death-timeout", "60"]
    with (
        ended([*scheduler, "--scheduler-file", str(known)], **named) as process,
        contextlib.ExitStack() as stack,
    ):
        waited_for(known, process)
        stack.enter_context(ended(worker, **named, env=environment))
        yield json.loads(known.read_text())["address"], process


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("cluster")) as (address, _):
        yield address


def own_code(folder: Path, monkeypatch) -> str:
    """Return the name of a network whose file is gone before a worker is asked about it."""
    folder.mkdir()
    path = folder / "mine.py"
    path.write_text(CODE)
    greet = atlas._greet

    def without_it(*args: object) -> None:
        path.unlink()
        greet(*args)

    monkeypatch.setattr(atlas, "_greet", without_it)
    return f"{path}:net"


def test_a_worker_gets_own_code_only_with_ship_code(address, tmp_path, capsys, monkeypatch):
    name = own_code(tmp_path / "here", monkeypatch)
    words = [
        "atlas",
        "--network",
        name,
        "--scheduler",
        address,
        *FAST,
        "--out",
        str(tmp_path / "a"),
    ]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "The worker tcp://127.0.0.1:" in error and "send it with --ship-code" in error
    (tmp_path / "here" / "mine.py").write_text(CODE)
    assert main([*words, "--ship-code"]) == 0
    paths = list((tmp_path / "a").rglob("*.png"))
    assert len({path.stem for path in paths if path.parent.name != "a"}) >= 3
    (tmp_path / "here" / "mine.py").write_text(CODE)
    one = next(path for path in paths if path.parent.name == "2")
    assert main(["replay", str(one), "--allow-code"]) == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"program": "9.0"}, "not 9.0; install the same version there"),
        ({"torch": "9.1"}, "not 9.1; install the same version there"),
        ({"sha256": "0" * 64}, "has other weights of lenet"),
    ],
)
def test_a_worker_that_differs_is_named(values, says, address, tmp_path, capsys, monkeypatch):
    order = replace(NetworkOrder.of(open_network("lenet")), **values)
    monkeypatch.setattr(NetworkOrder, "of", classmethod(lambda *_, **__: order))
    words = ["atlas", "--neurons", "0", *FAST, "--scheduler", address]
    assert main([*words, "--out", str(tmp_path / "a")]) == 2
    error = capsys.readouterr().err
    assert "The worker tcp://127.0.0.1:" in error and says in error
    assert "Traceback" not in error
    assert not list(tmp_path.rglob("*.png"))


def test_a_worker_whose_disk_is_full_is_named(tmp_path, capsys):
    """A file of the worker may have no more than a few bytes, as on a full disk."""
    import psutil

    with cluster(tmp_path) as (address, _):
        worker = next(
            each
            for each in psutil.Process(os.getpid()).children()
            if str(tmp_path / "there") in each.cmdline()
        )
        words = ["atlas", "--layers", "conv1", *FAST, "--scheduler", address]
        words += ["--out", str(tmp_path / "a")]
        assert main([*words, "--neurons", "0"]) == 0
        _, most = worker.rlimit(psutil.RLIMIT_FSIZE)
        worker.rlimit(psutil.RLIMIT_FSIZE, (1000, most))
        capsys.readouterr()
        assert main(words) == 2
        error = capsys.readouterr().err
        assert "The worker tcp://127.0.0.1:" in error and "cannot be written" in error
        assert "Traceback" not in error
        worker.rlimit(psutil.RLIMIT_FSIZE, (most, most))
        assert main(words) == 0
    assert len(list(tmp_path.glob("a/conv1/*.png"))) == 6
    assert not list(tmp_path.glob("a/**/.*"))  # nothing is left half written


def test_a_killed_scheduler_loses_only_what_is_under_way(tmp_path, capsys, monkeypatch):
    out = tmp_path / "a"
    words = ["ldam_studio", "atlas", "--layers", "conv1", "conv2", *FAST, "--out", str(out)]
    with cluster(tmp_path) as (address, scheduler):
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with ended([*words, "--steps", "60", "--scheduler", address], **piped) as client:
            while len(list(out.rglob("*.png"))) < 4:
                assert client.poll() is None, client.communicate()
                time.sleep(0.05)
            scheduler.kill()
            _, error = client.communicate()
            assert client.returncode == 2
            assert "connection to the scheduler" in error and "the same command goes on" in error
            assert "Traceback" not in error
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*.png")}
    monkeypatch.setattr(atlas, "local_cluster", partial(local_cluster, processes=False))
    again = [*words[1:], "--steps", "60", "--workers", "1", "--json"]
    assert main(again) == 0
    assert json.loads(capsys.readouterr().out)["drawn"] == 22 - len(before)
    after = {path: path.stat().st_mtime_ns for path in out.glob("conv*/*.png")}
    assert len(after) == 22
    assert before.items() <= after.items()
