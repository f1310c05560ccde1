"""`ldam-studio atlas` from the command line."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from ldam_studio.atlas import cluster, worker
from ldam_studio.atlas.making import Looked
from ldam_studio.cli import main
from ldam_studio.commands import atlas
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network

FAST = ("--steps", "20", "--chains", "2", "--burn-in", "0")
WORDS = ("atlas", "--layers", "conv1", *FAST, "--out")


@pytest.fixture(autouse=True, scope="module")
def _offload():
    """Start the thread that Dask keeps for the whole process."""
    from distributed.utils import offload

    asyncio.run(offload(int))


def test_an_atlas_is_drawn_once_and_replays(tmp_path, capsys, monkeypatch):
    out = tmp_path / "atlas"
    monkeypatch.setattr(atlas, "local_cluster", partial(cluster.local_cluster, processes=False))
    assert main([*WORDS, str(out), "--neurons", "0,9", "--workers", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["neurons"], report["drawn"], report["layers"]) == (1, 1, {"conv1": 1})
    assert report["page"] == str(out / "index.html")
    assert "conv1" in (out / "index+files" / "data.js").read_text()
    (path,) = out.glob("conv1/*.png")
    assert main(["replay", str(path)]) == 0
    monkeypatch.setattr(atlas, "local_cluster", None)
    assert main([*WORDS, str(out), "--neurons", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["drawn"] == 0


def test_what_is_damaged_is_said_to_be_drawn_again(capsys):
    damaged = ["The picture a.png is damaged; copy it again.", "b.png is damaged."]
    atlas._say(Looked(damaged=damaged), 4)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "ldam-studio: The picture a.png is damaged; it is drawn again.",
        "ldam-studio: b.png is damaged; it is drawn again.",
    ]


def test_a_scheduler_that_runs_draws_and_pictures_travel_back(tmp_path, capsys):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as running:
        words = [*WORDS, str(tmp_path / "a"), "--neurons", "3", "--collect"]
        assert main([*words, "--scheduler", running.scheduler_address]) == 0
    assert "1 of them drawn now" in capsys.readouterr().out
    assert len(list(tmp_path.glob("a/conv1/*.png"))) == 1


def test_ctrl_c_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    @contextmanager
    def none(_count):
        os.kill(os.getpid(), signal.SIGINT)
        yield None

    def make(_client, folder, jobs, *, collect):
        from ldam_studio.progress import tell

        worker.draw_batch(jobs[:2], folder.folder, collect=collect)  # nobody hears of this
        for _ in range(2):
            tell("drawing neurons", 0, 6)
        yield

    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="tcp://w:1"))

    monkeypatch.setattr(atlas, "local_cluster", none)
    monkeypatch.setattr(atlas, "_greet", lambda *_: None)
    monkeypatch.setattr(atlas, "make", make)
    assert main([*WORDS, str(tmp_path / "a")]) == 130
    error = capsys.readouterr().err
    assert "stopping\nstopped after 2 of 6 neurons; the same command goes on" in error
    assert (tmp_path / "a" / "index.html").exists()


def test_after_an_error_it_is_said_how_to_see_what_is_drawn(tmp_path, capsys, monkeypatch):
    @contextmanager
    def none(_count):
        yield None

    def make(_client, folder, jobs, *, collect):
        yield worker.draw_batch(jobs[:2], folder.folder, collect=collect)
        raise StudioError("The worker tcp://w:1 had to stop.")

    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="tcp://w:1"))
    monkeypatch.setattr(atlas, "local_cluster", none)
    monkeypatch.setattr(atlas, "_greet", lambda *_: None)
    monkeypatch.setattr(atlas, "make", make)
    assert main([*WORDS, str(tmp_path / "a")]) == 2
    hint, error = capsys.readouterr().err.splitlines()[-2:]
    assert hint.startswith("2 of 6 neurons are drawn; ldam-studio atlas-page ")
    assert error == "ldam-studio: The worker tcp://w:1 had to stop."
    assert main(["atlas-page", str(tmp_path / "a")]) == 0
    monkeypatch.setattr(atlas, "written_page", lambda _folder: None)  # Ctrl-C during the page
    monkeypatch.setattr(atlas, "make", lambda *_, **__: ())
    assert main([*WORDS, str(tmp_path / "a")]) == 130
    assert "writes the page later" in capsys.readouterr().err


def test_the_index_names_nobodys_home(tmp_path, monkeypatch):
    home, network = tmp_path / "home" / "ada", open_network("lenet")
    monkeypatch.setattr(Path, "home", lambda: home)
    parser = argparse.ArgumentParser()
    atlas.add_arguments(parser)

    def named(code: Path, out: Path) -> str:
        monkeypatch.setattr(network, "name", f"{code}:net")
        args, plain = parser.parse_args(["--out", str(out)]), SimpleNamespace(own_code=None)
        return atlas.described(args, network, plain)["network"]

    assert named(home / "work/mine.py", tmp_path / "disk/atlas") == "~/work/mine.py:net"
    assert named(home / "work/mine.py", home / "work/a") == "../mine.py:net"


@pytest.mark.parametrize(
    ("patterns", "texts", "found"),
    [
        (None, None, {"fc3": 10}),
        (["conv*"], None, {"conv1": 6, "conv2": 16}),
        (["conv2", "conv1"], ["4-7"], {"conv1": 2, "conv2": 4}),
        (None, ["conv1:1", "fc3:2", "conv1:1"], {"conv1": 1, "fc3": 1}),
    ],
)
def test_neurons_are_chosen_by_pattern_number_and_address(patterns, texts, found):
    layers = atlas.chosen(open_network("lenet"), patterns, texts)
    assert {neurons[0].layer: len(neurons) for neurons in layers} == found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--layers", "nowhere*"], "No layer of lenet matches 'nowhere*'; it has conv1"),
        (["--layers", "conv1", "--neurons", "9"], "None of the layers conv1 has a neuron 9"),
        (["--layers", "conv1", "--neurons", "fc3:1"], "in no layer that --layers names"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "not allowed with"),
        (["--neurons", "0", "--scheduler", "tcp://127.0.0.1:9"], "There is no scheduler at tcp"),
        (["--neurons", "0", "--scheduler", "nonsense"], "There is no scheduler at nonsense"),
        (["--ship-code"], "made by none"),
        (["--out", "/proc/a/atlas"], "/proc/a"),
    ],
)
def test_bad_input_is_one_sentence(words, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    assert main(["atlas", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert not list(Path(tmp_path).rglob("*.png"))


# Kills


def drawn_in(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def waited_for(folder: Path, count: int, process: subprocess.Popen) -> dict[Path, int]:
    while len(found := drawn_in(folder)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("victim", ["client", "worker"])
def test_a_kill_loses_only_what_is_under_way(victim, tmp_path):
    import psutil

    words = [sys.executable, "-m", "ldam_studio", "atlas", "--layers", "conv1", "conv2", *FAST]
    words += ["--steps", "60", "--workers", "2", "--out", str(tmp_path / "a"), "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    before = waited_for(tmp_path / "a", 4, process)
    family = psutil.Process(process.pid).children(recursive=True)
    if victim == "client":
        process.kill()
        process.communicate()
        psutil.wait_procs(family, timeout=60)
        assert not [each for each in family if each.is_running()]
        before = drawn_in(tmp_path / "a")
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    else:
        workers = [each for each in family if "spawn_main" in " ".join(each.cmdline())]
        workers[0].kill()
    out, error = process.communicate()
    assert process.returncode == 0, error
    after = drawn_in(tmp_path / "a")
    assert len(after) == 22 and len({path.name.rpartition("-")[0] for path in after}) == 22
    assert before.items() <= after.items()
    if victim == "client":
        assert json.loads(out)["drawn"] == 22 - len(before)
