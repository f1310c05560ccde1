"""Atlases: a file for every neuron, drawn once, whoever is stopped when."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest
from distributed import KilledWorker

from atlas_folders import chunk, picture, png_of, row, write_index, write_neuron
from ldam_studio import __version__
from ldam_studio.atlas import cluster, making, pictures, worker
from ldam_studio.atlas.batches import LEAST_S, MOST, TASK_S, Batches, Job
from ldam_studio.atlas.folder import INDEX, MOST_LAYERS, AtlasFolder, found_at, read_index
from ldam_studio.atlas.making import jobs_of, look, make
from ldam_studio.atlas.orders import NetworkOrder, Order
from ldam_studio.atlas.pictures import opened_picture, read_row, read_samples, row_in
from ldam_studio.engine.compute.device import choose
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.drawing import draw
from ldam_studio.explore.sheets.spec import neurons_in
from ldam_studio.explore.sheets.together import draw_together
from ldam_studio.export.formats.table import read
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import picture_of
from ldam_studio.files import write_bytes
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.progress import Listener, Stopped
from ldam_studio.sampler.settings import Settings

LOOP = SimpleNamespace(asyncio_loop=None)
"""What a client has of the loop in which it receives answers."""
ALIKE = {"network": "lenet", "settings": {"l2": 0.1}}


@pytest.fixture(scope="module")
def network():
    return open_network("lenet")


@pytest.fixture(scope="module")
def order(network) -> Order:
    settings = Settings.of(temperature=0.001, burn_in=0, l2=0.1)
    device = choose("cpu", "float32")
    return Order(NetworkOrder.of(network), settings, device, 2, 20, 3, "image")


@pytest.fixture
def jobs(network, order) -> list[Job]:
    return list(jobs_of(network, order, neurons_in(network, "conv1", (0, 1, 4))))


@pytest.fixture
def folder(tmp_path) -> AtlasFolder:
    made = AtlasFolder(tmp_path / "atlas", ALIKE)
    made.begin(["conv1"])
    return made


@pytest.fixture(autouse=True, scope="module")
def _answering():
    """Run the loop in which a client receives answers."""
    LOOP.asyncio_loop = loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(autouse=True)
def _as_worker(monkeypatch, network):
    """Let this process be a worker that has the network open."""
    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="tcp://w:1"))
    monkeypatch.setattr(worker, "opened", lambda _order: network)


class FakeFuture:
    """A batch that is drawn at once, or the error that it raised."""

    def __init__(self, work):
        try:
            self._result, self._error = work(), None
        except Exception as error:
            self._result, self._error = None, error

    key = "draw_batch-1"

    def done(self):
        return True

    def exception(self):
        return self._error

    def result(self):
        return self._result


class FakeClient:
    """A cluster of one worker, this process, which draws a batch when it is given one."""

    status = "running"

    def __init__(self, monkeypatch, scheduler=None):
        self.cancelled, self.loop = [], LOOP
        self.scheduler = scheduler or SimpleNamespace(address="tcp://s:1")
        monkeypatch.setattr("distributed.wait", lambda *_args, **_named: None)

    async def nthreads(self, asynchronous):
        return {"tcp://w:1": 1}

    def submit(self, function, *args, pure, **named):
        return FakeFuture(lambda: function(*args, **named))

    async def gather(self, futures, asynchronous):
        return [future.result() for future in futures]

    def cancel(self, futures, force):
        self.cancelled += futures


# One file for each neuron


def test_a_file_replays_and_says_what_there_is_to_say(jobs, folder, network):
    (drawn,) = [worker.draw_batch(jobs[2:], folder.folder, collect=False)]
    path = folder.path(jobs[2].neuron, jobs[2].key)
    row = read_row(path)
    assert drawn.rows == (row,)
    assert (row.neuron, row.layer, row.steps) == ("conv1:4", "conv1", 20)
    assert 1 <= row.modes <= 2
    recipe, _ = read(path)
    assert compare(path).identical
    assert recipe.said.end.lanes[0].network.sha256 == network.provenance.sha256
    samples = read_samples(path)
    assert samples is not None and samples.shape == (110, 220, 3)


def test_a_neurons_file_does_not_depend_on_its_batch(jobs, folder, monkeypatch):
    drawn = []

    def measure(_spec, neurons, known):
        known.most = 8

    def together(spec, neurons, known):
        drawn.append(draw_together(spec, neurons, known))
        return dict(drawn[-1])

    monkeypatch.setattr(worker, "measure", measure)
    monkeypatch.setattr(worker, "draw_together", together)
    batch = worker.draw_batch(jobs, folder.folder, collect=True)
    assert not list(folder.folder.rglob("*.png"))
    for job in jobs:
        ((path, data),) = worker.draw_batch([job], folder.folder, collect=True).files.items()
        assert batch.files[path] == data
        write_bytes(folder.folder / path, data)
        assert compare(folder.folder / path).identical
    if not drawn[0]:
        pytest.skip("this processor rounds otherwise for more images")
    assert drawn[0].keys() == {job.neuron for job in jobs}


def test_names_follow_recipe_weights_and_address(network, order):
    zero = (Neuron("conv1", 0),)

    def key(order: Order, neurons=zero) -> str:
        return next(jobs_of(network, order, neurons)).key

    others = [
        key(order),
        key(order, (Neuron("conv1", 1),)),
        key(replace(order, steps=21)),
        key(replace(order, seed=4)),
        key(replace(order, settings=order.settings.with_values({"l2": 0.2}))),
    ]
    assert len(set(others)) == len(others)
    assert key(order, (*zero, Neuron("conv1", 5))) == key(order)


# Going on


def test_what_is_there_and_whole_is_not_drawn_again(jobs, folder, monkeypatch):
    client = FakeClient(monkeypatch)
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


def test_a_whole_file_is_known_by_its_seal_and_a_damaged_one_is_found(jobs, folder, monkeypatch):
    ((path, data),) = worker.draw_batch(jobs[2:], folder.folder, collect=True).files.items()
    path = folder.folder / path
    seal = data.index(b"seAL") - 4

    def said(content: bytes) -> str:
        write_bytes(path, content)
        try:
            return str(found_at(path, jobs[2].neuron, jobs[2].key))
        except StudioError as error:
            return f"damaged: {error}"

    whole = said(data[:seal] + data[-12:])  # without its seal, pixels and recipe are compared
    assert "conv1:4" in whole and not whole.startswith("damaged")
    cut = [data[:length] for length in (0, 8, len(data) // 2, seal, len(data) - 1)]
    middle, recipe = len(data) // 3, data.index(b"ldam-recipe") + 400
    for place in (middle, recipe, data.index(b"IDAT") + 40, len(data) - 6):
        cut.append(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    assert all(said(content).startswith("damaged: ") for content in cut)
    monkeypatch.setattr(pictures, "read", None)
    assert said(data) == whole


def test_a_batch_that_is_given_again_draws_only_what_is_missing(jobs, folder):
    worker.draw_batch(jobs[:2], folder.folder, collect=False)
    again = worker.draw_batch(jobs, folder.folder, collect=False)
    assert [row.neuron for row in again.rows] == ["conv1:4"]
    assert [row.neuron for row in again.found] == ["conv1:0", "conv1:1"]


def test_stopping_takes_back_what_waits_and_leaves_what_is_drawn(jobs, folder, monkeypatch):
    client, listener = FakeClient(monkeypatch), Listener(lambda stage: None)
    with listener.heard_on(), pytest.raises(Stopped):
        for _drawn in make(client, folder, jobs, collect=True):
            listener.stop()
    assert len(client.cancelled) == 1
    assert len(look(folder, jobs).jobs) == 2


def test_batches_last_about_as_long_as_each_other_and_become_smaller(order):
    job = Job(order, Neuron("conv1", 0), "")
    batches = Batches([job] * 1000)
    assert len(batches.take(2)) == 1
    batches.learn("conv1", 1, TASK_S / 10)
    assert len(batches.take(2)) == 10
    batches.learn("conv1", 1, LEAST_S / 40)
    assert len(batches.take(2)) == -(-989 // 4) <= MOST
    sizes = []
    while batch := batches.take(2):
        sizes.append(len(batch))
    assert sizes == sorted(sizes, reverse=True) and sizes[-2] == 40
    assert sum(sizes) == 989 - 248


def test_no_neuron_waits_before_it_is_known_how_long_one_takes(order):
    batches = Batches([Job(order, Neuron("conv1", i), "") for i in range(99)])
    assert [len(batches.take(2)) for _ in range(3)] == [1, 1, 0]
    batches.learn("conv1", 0, 0.1)  # it was there already, or cannot be drawn
    assert [len(batches.take(2)) for _ in range(2)] == [1, 0]
    batches.learn("conv1", 1, TASK_S / 10)
    assert len(batches.take(2)) == 10


def test_the_next_layer_begins_with_what_the_last_one_took(order):
    neurons = [Neuron("conv1", 0), *(Neuron("conv2", i) for i in range(99))]
    batches = Batches([Job(order, neuron, "") for neuron in neurons])
    batches.take(1)
    batches.learn("conv1", 1, TASK_S / 40)
    assert len(batches.take(1)) == 10


# Those who mean harm


@pytest.mark.parametrize(
    "place", ["../outside.png", "/outside.png", "conv1/../a.png", "conv2/a.png"]
)
def test_a_worker_writes_nowhere_but_into_its_layers_folder(place, jobs, folder, monkeypatch):
    lies = worker.Drawn((), (), (), {Path(place): b"harm"}, 1.0)
    before = sorted(folder.folder.parent.rglob("*"))
    with pytest.raises(StudioError, match=r"sent a file to be written as .*where no picture of"):
        list(make(lying(monkeypatch, lies), folder, jobs, collect=True))
    assert sorted(folder.folder.parent.rglob("*")) == before


def lying(monkeypatch, sent) -> FakeClient:
    client = FakeClient(monkeypatch)
    client.submit = lambda *_args, **_named: FakeFuture(lambda: sent)
    return client


def test_a_worker_sends_the_neurons_that_it_was_given(jobs, folder, monkeypatch):
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
            list(make(lying(monkeypatch, sent), folder, jobs[:1], collect=True))
    assert not list(folder.folder.rglob("*.png"))
    list(make(lying(monkeypatch, one), folder, jobs[:1], collect=True))
    assert (folder.folder / path).read_bytes() == data


async def silence(*_args, **_named):
    await asyncio.Event().wait()


def test_a_scheduler_that_answers_no_more_is_named(jobs, folder, monkeypatch):
    monkeypatch.setattr("ldam_studio.atlas.asking.answer_of.__defaults__", (0.0,))
    client = FakeClient(monkeypatch)
    client.nthreads = silence
    with pytest.raises(StudioError, match=r"scheduler tcp://s:1 does not answer .*command goes on"):
        list(make(client, folder, jobs, collect=False))


def test_that_there_is_no_worker_is_said(jobs, folder, monkeypatch):
    client, stages = FakeClient(monkeypatch), list[str]()
    client.nthreads = AsyncMock(side_effect=[{}, {"tcp://w:1": 1}, {"tcp://w:1": 1}])
    with Listener(lambda stage: stages.append(stage.doing)).heard_on():
        list(make(client, folder, jobs[:1], collect=False))
    assert stages[0] == making.NOBODY and stages[-1] == making.DOING


def test_who_hangs_while_results_are_fetched_is_named(jobs, folder, monkeypatch):
    async def who_has(keys):
        return dict.fromkeys(keys, ("tcp://w:1",))

    stages = list[str]()
    monkeypatch.setattr(making, "ANSWERS_S", 0.0)
    monkeypatch.setattr(making, "HANDED_OVER_S", 0.0)
    client = FakeClient(monkeypatch, SimpleNamespace(address="tcp://s:1", who_has=who_has))
    client.gather = silence
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


def test_workers_that_do_not_say_whether_they_fit_are_named(order, monkeypatch):
    async def nthreads(asynchronous):
        return {"tcp://w:1": 1, "tcp://w:2": 1}

    async def run(_function, *_args, workers=(), **_named):
        if workers != ["tcp://w:1"]:
            await silence()
        return {"tcp://w:1": __version__}

    monkeypatch.setattr(cluster, "OPENS_S", 0.0)
    monkeypatch.setattr(cluster, "ANSWERS_S", 0.1)
    client = FakeClient(monkeypatch)
    client.nthreads, client.run = nthreads, run
    with pytest.raises(StudioError, match=r"The workers tcp://w:2 did not say .*; end those"):
        cluster.check_workers(client, order.network)


@pytest.mark.parametrize("asked", ["nthreads", "gather"])
def test_ctrl_c_is_heard_while_nobody_answers(asked, jobs, folder, monkeypatch):
    client, listener = FakeClient(monkeypatch), Listener(lambda _stage: None)

    async def silent(*_args, **_named):
        listener.stop()
        await silence()

    setattr(client, asked, silent)
    with listener.heard_on(), pytest.raises(Stopped):
        list(make(client, folder, jobs, collect=True))


def test_what_is_fetched_together_takes_little_memory(order):
    def together(sizes: dict[str, float]) -> list[str]:
        """Return what is fetched of a hundred batches of two neurons each."""
        layers = dict.fromkeys([f"conv1 {i}" for i in range(3)], "conv1")
        layers |= dict.fromkeys([f"fc3 {i}" for i in range(97)], "fc3")
        ended = {name: (Job(order, Neuron(layer, 0), ""),) * 2 for name, layer in layers.items()}
        return making._together(ended, sizes)

    assert together({}) == ["conv1 0"]
    assert together({"conv1": 9.0}) == ["conv1 0", "conv1 1", "conv1 2"]
    assert together({"conv1": making.ROOM / 4}) == ["conv1 0", "conv1 1"]
    assert together({"conv1": making.ROOM}) == ["conv1 0"]
    assert len(together({"conv1": 0.0, "fc3": 0.0})) == making.AT_ONCE


def test_whoever_listens_but_says_nothing_is_no_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(StudioError, match=f"no scheduler at {address}"),
            cluster.scheduler_at(address),
        ):
            pass


def test_another_server_than_a_scheduler_is_one_sentence():
    """For example that of Dask's dashboard, whose address it prints, too."""
    words = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"

        def answer() -> None:
            with server.accept()[0] as one:
                one.sendall(words)
                one.recv(1)

        answered = pool.submit(answer)
        with (
            pytest.raises(StudioError, match=f"no scheduler at {address}"),
            cluster.scheduler_at(address),
        ):
            pass
        answered.result()


def test_a_picture_that_says_it_is_enormous_is_damaged(tmp_path):
    header = struct.pack(">IIBBBBB", 10**5, 10**5, 8, 2, 0, 0, 0)
    enormous = png_of(picture(0, 16))
    enormous = enormous[:8] + chunk(b"IHDR", header) + enormous[33:]
    path = write_neuron(tmp_path, row(Neuron("conv1", 0)), enormous, None)
    for reads in (read_row, read_samples):
        with pytest.raises(StudioError, match=r"more pixels than any|is damaged"):
            reads(path)
    with path.open("r+b") as file:
        file.truncate(pictures.MOST_BYTES + 1)
    with pytest.raises(StudioError, match="such a file has at most"):
        read_row(path)
    path = write_neuron(tmp_path, row(Neuron("conv1", 0)), png_of(picture(0, 16)), enormous)
    assert read_samples(path) is None
    told = png_of(picture(0, 16))
    path = write_neuron(tmp_path, row(Neuron("conv1", 0), modes=10**9), told, None)
    with pytest.raises(StudioError, match="no picture of an atlas"):
        row_in(opened_picture(path), path)


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


def test_a_full_disk_stops_the_atlas_and_names_the_worker(jobs, folder, monkeypatch):
    def full(_files):
        raise StudioError("a.png cannot be written (No space left on device).")

    monkeypatch.setattr(worker, "write_together", full)
    with pytest.raises(StudioError, match=r"tcp://w:1 had to stop: .*No space left"):
        list(make(FakeClient(monkeypatch), folder, jobs, collect=False))


@pytest.mark.parametrize("when", ["exception", "result"])
def test_workers_that_end_with_a_batch_are_one_sentence(jobs, folder, monkeypatch, when):
    killed = KilledWorker("draw_batch", SimpleNamespace(address="tcp://w:9"), 3)
    client = FakeClient(monkeypatch)
    if when == "exception":
        monkeypatch.setattr(FakeFuture, "exception", lambda _self: killed)
    else:  # what was drawn is lost while it waits to be fetched
        client.gather = AsyncMock(side_effect=killed)
    with pytest.raises(StudioError, match=r"Several workers ended .*tcp://w:9.*too little memory"):
        list(make(client, folder, jobs, collect=False))


def test_a_worker_without_the_folder_is_refused(jobs, tmp_path):
    with pytest.raises(StudioError, match=r"tcp://w:1 does not see .*--collect"):
        worker.draw_batch(jobs, tmp_path / "elsewhere", collect=False)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"program": "9.0"}, "not 9.0; install the same version"),
        ({"torch": "9.1"}, "not 9.1; install the same version"),
        ({"sha256": "0" * 64}, "has other weights of lenet"),
        ({}, ""),
    ],
)
def test_a_worker_that_differs_says_how(order, values, says):
    assert says in worker.unfitness(replace(order.network, **values))
    assert bool(worker.unfitness(replace(order.network, **values))) == bool(says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("has torch 1, not 2; install it.", "The worker tcp://w:2 has torch 1"),
        (ModuleNotFoundError("No module named 'ldam_studio'"), "tcp://w:2 has no LDAM Studio"),
        (Exception('ImportError("cannot")'), "tcp://w:2 has no LDAM Studio, or an older one"),
        (MemoryError(), "tcp://w:2 cannot be used (MemoryError)"),
        (3, "tcp://w:2 does not say whether it fits"),
    ],
)
def test_the_worker_that_does_not_fit_is_named(order, answer, says, monkeypatch):
    async def run(*_args, **_named):
        return {"tcp://w:1": "", "tcp://w:2": answer}

    client = FakeClient(monkeypatch)
    client.run = run
    with pytest.raises(StudioError) as raised:
        cluster.check_workers(client, order.network)
    assert says in str(raised.value)


def test_another_version_of_dask_is_refused():
    from distributed.versions import get_versions

    here = get_versions()
    other = {"packages": {**here["packages"], "distributed": "2024.1.0"}}
    with pytest.raises(StudioError, match=r"s:1 has distributed 2024.1.0, and this program 2"):
        cluster.check_versions(other, "s:1")
    with pytest.raises(StudioError, match="s:1 has distributed None"):
        cluster.check_versions({}, "s:1")
    cluster.check_versions(here, "s:1")


def test_a_scheduler_without_this_program_or_with_another_version_is_one_sentence(monkeypatch):
    def answers(version):
        async def run_on_scheduler(_function, asynchronous):
            return version()

        client = FakeClient(monkeypatch)
        client.run_on_scheduler = run_on_scheduler
        return client

    def missing():
        raise ModuleNotFoundError("No module named 'ldam_studio'")

    with pytest.raises(StudioError, match=r"scheduler at s:1 has no LDAM Studio.*No module"):
        cluster.check_scheduler(answers(missing), "s:1")
    with pytest.raises(StudioError, match=r"scheduler at s:1 has LDAM Studio 0\.0\.1"):
        cluster.check_scheduler(answers(lambda: "0.0.1"), "s:1")
    cluster.check_scheduler(answers(lambda: __version__), "s:1")


def test_a_scheduler_is_reached_with_the_certificates_of_dasks_settings(monkeypatch):
    async def connect(address, timeout, ssl_context):
        assert (address, ssl_context) == ("tls://s:1", "certificates")
        return AsyncMock()

    async def send_recv(_comm, op, packages):
        return {op: packages}

    secured = SimpleNamespace(get_connection_args=lambda who: {"ssl_context": "certificates"})
    monkeypatch.setattr("distributed.Security", lambda: secured)
    monkeypatch.setattr("distributed.comm.core.connect", connect)
    monkeypatch.setattr("distributed.core.send_recv", send_recv)
    assert asyncio.run(cluster._reached("tls://s:1")) == {"versions": []}


OTHER = {**ALIKE, "settings": {"l2": 0.2}}


def test_a_folder_without_neurons_becomes_that_of_another_atlas(folder):
    """The first try may have failed, for example because no worker fitted."""
    first, other = (AtlasFolder(folder.folder, OTHER) for _ in range(2))
    first.begin(["fc1"])
    assert read_index(folder.folder).layers == ("fc1",)
    other.begin(["fc2"])
    assert read_index(folder.folder).layers == ("fc1", "fc2")
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        folder.check_same()  # of a command that runs meanwhile


def test_of_two_different_atlases_begun_at_once_one_is_refused(tmp_path):
    one, other = (AtlasFolder(tmp_path / "new", each) for each in (ALIKE, OTHER))
    one.begin(["conv1"])
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        other.begin(["conv1"])


def test_the_folder_of_another_atlas_is_refused(folder):
    write_neuron(folder.folder, row(Neuron("conv1", 0)), png_of(picture(0, 16)), None)
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        AtlasFolder(folder.folder, OTHER)
    one, other = (AtlasFolder(folder.folder, ALIKE) for _ in range(2))
    one.begin(["conv2"])
    other.begin(["fc1"])  # of two commands at once, none forgets the other's layers
    assert read_index(folder.folder).layers == ("conv1", "conv2", "fc1")
    write_index(folder.folder, map(str, range(MOST_LAYERS + 1)))
    with pytest.raises(StudioError, match="no index of an atlas"):
        AtlasFolder(folder.folder, ALIKE)
    (folder.folder / INDEX).write_text("[" * 10_000)
    with pytest.raises(StudioError, match="no index of an atlas"):
        AtlasFolder(folder.folder, ALIKE)


def test_a_picture_that_is_none_of_an_atlas_is_refused(tmp_path, network, order):
    from ldam_studio.export.exporting import export

    neuron = Neuron("conv1", 0)
    spec = order.spec(network, [neuron])
    drawn = draw(spec, neuron, lambda: None)
    path = tmp_path / "a.png"
    export(drawn.state, spec.shown, path)
    assert picture_of(drawn.state, spec.shown).shape == (5, 5, 3)
    with pytest.raises(StudioError, match="no picture of an atlas"):
        found_at(path, neuron, "key")


# Own code


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import torch\nfrom torch import nn\n"
        "def net():\n"
        "    torch.manual_seed(0)\n"
        "    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))\n"
        "    net.pixels = dict(channels=1, height=8, width=8, mean=(0.5,), std=(0.5,))\n"
        "    return net.eval()\n"
    )
    return path


def test_own_code_is_sent_only_when_asked(own, monkeypatch):
    monkeypatch.undo()
    opened = worker.opened.__wrapped__
    network = open_network(f"{own}:net")
    plain, shipped = (NetworkOrder.of(network, ship_code=ship) for ship in (False, True))
    assert plain.code is not None and plain.code.data is None
    moved = own.rename(own.with_name("moved.py"))
    with pytest.raises(StudioError, match=r"no file .*mine.py; .*--ship-code"):
        opened(plain)
    there = opened(shipped)
    assert there.name == network.name
    assert there.provenance.sha256 == network.provenance.sha256
    own.write_text(Path(moved).read_text() + "# changed\n")
    with pytest.raises(StudioError, match=r"differs.*--ship-code"):
        opened(plain)


def test_own_code_may_lie_in_another_folder(own, tmp_path, order, monkeypatch):
    def jobs_at(path: Path) -> list[Job]:
        network = open_network(f"{path}:net")
        named = replace(order, network=NetworkOrder.of(network))
        return list(jobs_of(network, named, neurons_in(network, "2", (0, 1))))

    (tmp_path / "there").mkdir()
    elsewhere = tmp_path / "there" / "moved.py"
    elsewhere.write_bytes(own.read_bytes())
    first, moved = jobs_at(own), jobs_at(elsewhere)
    assert [job.key for job in first] == [job.key for job in moved]
    assert [job.former for job in first] != [job.former for job in moved]
    elsewhere.write_text(own.read_text() + "# changed\n")
    assert jobs_at(elsewhere)[0].key != first[0].key

    folder = AtlasFolder(tmp_path / "atlas", ALIKE)
    former = replace(first[0], key=first[0].former)  # what an earlier version drew is found
    monkeypatch.setattr(worker, "unfitness", lambda _order: "")
    monkeypatch.setattr(worker, "opened", lambda _order: open_network(f"{own}:net"))
    folder.begin(["2"])
    worker.draw_batch([former], folder.folder, collect=False)
    assert look(folder, first).jobs == first[1:]


def test_a_folder_knows_own_code_by_its_content(tmp_path):
    def atlas(name: str, code: str | None) -> AtlasFolder:
        own = {} if code is None else {"own code": code}
        return AtlasFolder(tmp_path, {**ALIKE, "network": name, **own})

    atlas("mine.py:net", None).begin(["2"])  # an earlier version
    write_neuron(tmp_path, row(Neuron("2", 0)), png_of(picture(0, 16)), None)
    with pytest.raises(StudioError, match="differs in network"):
        atlas("there/mine.py:net", "1:net")
    atlas("mine.py:net", "1:net").begin(["2"])
    atlas("there/mine.py:net", "1:net").begin(["2"])
    with pytest.raises(StudioError, match="differs in own code"):
        atlas("there/mine.py:net", "2:net")


def test_shipping_code_needs_code(network):
    with pytest.raises(StudioError, match="--ship-code sends a file of your own code"):
        NetworkOrder.of(network, ship_code=True)


def test_without_dask_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StudioError, match=r"pip install 'ldam-studio\[atlas\]'"):
        cluster.check_installed()
