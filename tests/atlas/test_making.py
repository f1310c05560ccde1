"""Drawing an atlas: going on, stopping, and whoever fails or falls silent meanwhile."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from unittest.mock import AsyncMock
from weakref import WeakSet

import pytest
from distributed import KilledWorker

from atlas.fake_cluster import FakeFuture, silence
from ldam_studio.atlas import making, worker
from ldam_studio.atlas.making import look, make
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import draw
from ldam_studio.progress import Listener, Stopped

pytestmark = pytest.mark.usefixtures("as_worker")


# Going on


def test_what_is_there_and_whole_is_not_drawn_again(jobs, folder, client):
    assert sum(len(d.rows) for d in make(client, folder, jobs, collect=False)) == 3
    cut = folder.path(jobs[1].neuron, jobs[1].key)
    cut.write_bytes(cut.read_bytes()[:-40])
    swapped = folder.path(jobs[2].neuron, jobs[2].key)
    swapped.write_bytes(folder.path(jobs[0].neuron, jobs[0].key).read_bytes())
    looked = look(folder, jobs)
    assert [row.neuron for row in looked.rows] == ["conv1:0"]
    assert looked.jobs == jobs[1:]
    assert "damaged" in looked.damaged[0] and "another neuron" in looked.damaged[1]
    made = list(make(client, folder, looked.jobs, collect=False))
    assert [row.neuron for d in made for row in d.rows] == ["conv1:1", "conv1:4"]
    assert not look(folder, jobs).jobs


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_what_is_no_file_is_named_before_anything_is_drawn(jobs, folder):
    path = folder.path(jobs[1].neuron, jobs[1].key)
    path.parent.mkdir()
    for make_it, remove in ((os.mkfifo, os.unlink), (os.mkdir, os.rmdir)):
        make_it(path)
        with pytest.raises(StudioError, match=r"conv1-1-.*\.png is not a file, .*; remove it"):
            look(folder, jobs)
        remove(path)
    path.symlink_to(path.name)  # a circle, which a file replaces
    assert look(folder, jobs).jobs == jobs
    worker.draw_batch(jobs[1:2], folder.folder, collect=False)
    assert not path.is_symlink() and look(folder, jobs).jobs == [jobs[0], jobs[2]]


def test_a_batch_that_is_given_again_draws_only_what_is_missing(jobs, folder):
    worker.draw_batch(jobs[:2], folder.folder, collect=False)
    again = worker.draw_batch(jobs, folder.folder, collect=False)
    assert [row.neuron for row in again.rows] == ["conv1:4"]
    assert [row.neuron for row in again.found] == ["conv1:0", "conv1:1"]


def test_stopping_takes_back_what_waits_and_leaves_what_is_drawn(jobs, folder, client):
    listener = Listener(lambda stage: None)
    with listener.heard_on(), pytest.raises(Stopped):
        for _drawn in make(client, folder, jobs, collect=True):
            listener.stop()
    assert len(client.cancelled) == 1
    assert len(look(folder, jobs).jobs) == 2


def test_workers_need_not_keep_what_has_arrived(jobs, folder, client, monkeypatch):
    given, submit = WeakSet(), client.submit

    def submitted(*args, **named):
        future = submit(*args, **named)
        given.add(future)
        return future

    monkeypatch.setattr("ldam_studio.atlas.batches.MOST", 1)
    client.submit = submitted
    kept = [len(given) for _drawn in make(client, folder, jobs, collect=True)]
    assert len(kept) == 3 and max(kept) <= 2


# Those who answer no more


def test_a_scheduler_that_answers_no_more_is_named(jobs, folder, client, monkeypatch):
    monkeypatch.setattr("ldam_studio.atlas.asking.answer_of.__defaults__", (0.0,))
    client.nthreads = silence
    with pytest.raises(StudioError, match=r"scheduler tcp://s:1 does not answer .*command goes on"):
        list(make(client, folder, jobs, collect=False))


def test_that_there_is_no_worker_is_said(jobs, folder, client):
    stages = list[str]()
    client.nthreads = AsyncMock(side_effect=[{}, {"tcp://w:1": 1}, {"tcp://w:1": 1}])
    with Listener(lambda stage: stages.append(stage.doing)).heard_on():
        list(make(client, folder, jobs[:1], collect=False))
    assert stages[0] == making.NOBODY and stages[-1] == making.DOING


def test_who_hangs_while_results_are_fetched_is_named(jobs, folder, client, monkeypatch):
    async def who_has(keys):
        return dict.fromkeys(keys, ("tcp://w:1",))

    stages = list[str]()
    monkeypatch.setattr(making, "ANSWERS_S", 0.0)
    monkeypatch.setattr(making, "HANDED_OVER_S", 0.0)
    client.scheduler.who_has, client.gather = who_has, silence
    with (
        Listener(lambda stage: stages.append(stage.doing)).heard_on(),
        pytest.raises(StudioError, match=r"did not arrive .* from the workers tcp://w:1; end"),
    ):
        list(make(client, folder, jobs, collect=True))
    assert stages[-1] == making.HUNG
    client.nthreads = AsyncMock(return_value={"tcp://w:1": 1})
    client.scheduler.who_has = silence
    monkeypatch.setattr("ldam_studio.atlas.asking.answer_of.__defaults__", (0.0,))
    with pytest.raises(StudioError, match="scheduler tcp://s:1 does not answer"):
        list(make(client, folder, jobs, collect=True))


def test_a_scheduler_that_falls_silent_while_results_are_fetched_is_named(
    jobs, folder, client, monkeypatch
):
    async def nthreads(asynchronous):
        client.nthreads = silence
        return {"tcp://w:1": 1}

    monkeypatch.setattr(making, "ANSWERS_S", 0.0)
    monkeypatch.setattr("ldam_studio.atlas.asking.answer_of.__defaults__", (0.0,))
    client.nthreads, client.gather = nthreads, silence
    client.scheduler.who_has = AsyncMock(side_effect=AssertionError("it does not answer"))
    with pytest.raises(StudioError, match="scheduler tcp://s:1 does not answer"):
        list(make(client, folder, jobs, collect=True))


@pytest.mark.parametrize("asked", ["nthreads", "gather"])
def test_ctrl_c_is_heard_while_nobody_answers(asked, jobs, folder, client):
    listener = Listener(lambda _stage: None)

    async def silent(*_args, **_named):
        listener.stop()
        await silence()

    setattr(client, asked, silent)
    with listener.heard_on(), pytest.raises(Stopped):
        list(make(client, folder, jobs, collect=True))


# What cannot be done


def test_a_neuron_that_cannot_be_drawn_holds_up_no_other(jobs, folder, monkeypatch):
    def explodes(spec, neuron, on_step):
        if neuron.index == 0:
            raise StudioError(f"{neuron}: a chain exploded.")
        return draw(spec, neuron, on_step)

    monkeypatch.setattr(worker, "draw", explodes)
    monkeypatch.setattr(worker, "draw_together", lambda *_: {})
    drawn = worker.draw_batch(jobs[:2], folder.folder, collect=False)
    assert drawn.failed == ("conv1:0: a chain exploded.",)
    assert [row.neuron for row in drawn.rows] == ["conv1:1"]


def test_a_full_disk_stops_the_atlas_and_names_the_worker(jobs, folder, client, monkeypatch):
    def full(_files):
        raise StudioError("a.png cannot be written (No space left on device).")

    monkeypatch.setattr(worker, "write_together", full)
    with pytest.raises(StudioError, match=r"tcp://w:1 had to stop: .*No space left"):
        list(make(client, folder, jobs, collect=False))


@pytest.mark.parametrize("when", ["exception", "result"])
def test_workers_that_end_with_a_batch_are_one_sentence(jobs, folder, client, monkeypatch, when):
    killed = KilledWorker("draw_batch", SimpleNamespace(address="tcp://w:9"), 3)
    if when == "exception":
        monkeypatch.setattr(FakeFuture, "exception", lambda _self: killed)
    else:  # what was drawn is lost while it waits to be fetched
        client.gather = AsyncMock(side_effect=killed)
    with pytest.raises(StudioError, match=r"Several workers ended .*tcp://w:9.*too little memory"):
        list(make(client, folder, jobs, collect=False))


def test_a_batch_that_was_lost_and_fails_again_is_one_sentence(jobs, folder, client):
    client.gather = AsyncMock(side_effect=RuntimeError("of some kind"))
    with pytest.raises(StudioError, match=r"A worker failed \(.*of some kind\); see what it"):
        list(make(client, folder, jobs, collect=False))


def test_a_worker_without_the_folder_is_refused(jobs, tmp_path):
    with pytest.raises(StudioError, match=r"tcp://w:1 does not see .*--collect"):
        worker.draw_batch(jobs, tmp_path / "elsewhere", collect=False)
