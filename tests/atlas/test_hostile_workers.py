"""Workers that mean harm: what they send is checked before it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atlas.fake_cluster import FakeClient, FakeFuture
from ldam_studio.atlas import worker
from ldam_studio.atlas.making import make
from ldam_studio.atlas.receiving import checked
from ldam_studio.errors import StudioError

pytestmark = pytest.mark.usefixtures("as_worker")


def lying(client: FakeClient, sent: object) -> FakeClient:
    """Let the worker send this, whatever it is asked for."""
    client.submit = lambda *_args, **_named: FakeFuture(lambda: sent)
    return client


@pytest.mark.parametrize(
    "place", ["../outside.png", "/outside.png", "conv1/../a.png", "conv2/a.png"]
)
def test_a_worker_writes_nowhere_but_into_its_layers_folder(place, jobs, folder, client):
    lies = worker.Drawn((), (), (), {Path(place): b"harm"}, 1.0)
    before = sorted(folder.folder.parent.rglob("*"))
    with pytest.raises(StudioError, match=r"sent a file to be written as .*where no picture of"):
        list(make(lying(client, lies), folder, jobs, collect=True))
    assert sorted(folder.folder.parent.rglob("*")) == before


def test_files_that_nobody_asked_for_are_not_written(jobs, folder, client):
    told = worker.draw_batch(jobs[:1], folder.folder, collect=True)
    lies = replace(told, files={Path("../outside.png"): b"harm", **told.files})
    before = sorted(folder.folder.parent.rglob("*"))
    list(make(lying(client, lies), folder, jobs[:1], collect=False))
    assert sorted(folder.folder.parent.rglob("*")) == before


def test_a_worker_sends_no_neuron_twice(jobs, folder):
    told = worker.draw_batch(jobs[:1], folder.folder, collect=True)
    with pytest.raises(StudioError, match="A worker sent other neurons of conv1"):
        checked(replace(told, rows=told.rows * 2), jobs[:2], collect=True)
    checked(replace(told, failed=("conv1:1: a chain exploded.",)), jobs[:2], collect=True)


def test_a_worker_sends_the_neurons_that_it_was_given(jobs, folder, client):
    one, other = (worker.draw_batch([job], folder.folder, collect=True) for job in jobs[:2])
    ((path, data),) = one.files.items()
    lies = {
        "did not send neurons": 3,
        "sent other neurons": replace(other, files={}),
        "sent other": replace(one, rows=one.rows * 2),
        "sent no whole picture of conv1:0": replace(one, files={}),
        "no whole picture": replace(one, files={path: data[:-1]}),
        "no whole": replace(one, files={path: next(iter(other.files.values()))}),
    }
    for says, sent in lies.items():
        with pytest.raises(StudioError, match=f"A worker .*{says}"):
            list(make(lying(client, sent), folder, jobs[:1], collect=True))
    assert not list(folder.folder.rglob("*.png"))
    list(make(lying(client, one), folder, jobs[:1], collect=True))
    assert (folder.folder / path).read_bytes() == data
