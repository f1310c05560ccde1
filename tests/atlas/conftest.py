"""Small atlases of LeNet, and this process as the worker that draws them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from atlas.fake_cluster import FakeClient
from atlas_folders import ALIKE
from ldam_studio.atlas import worker
from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.folder import AtlasFolder
from ldam_studio.atlas.making import jobs_of
from ldam_studio.atlas.orders import NetworkOrder, Order
from ldam_studio.engine.compute.device import choose
from ldam_studio.explore.sheets.spec import neurons_in
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


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


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run the loop in which a client receives answers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def client(monkeypatch, loop) -> FakeClient:
    monkeypatch.setattr("distributed.wait", lambda *_args, **_named: None)
    return FakeClient(loop)


@pytest.fixture
def as_worker(monkeypatch, network) -> None:
    """Let this process be a worker that has the network open."""
    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="tcp://w:1"))
    monkeypatch.setattr(worker, "opened", lambda _order: network)
