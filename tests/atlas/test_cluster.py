"""Reaching a scheduler, and whether it and its workers fit this program."""

from __future__ import annotations

import asyncio
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest

from atlas.fake_cluster import silence
from ldam_studio import __version__
from ldam_studio.atlas import cluster, worker
from ldam_studio.errors import StudioError

pytestmark = pytest.mark.usefixtures("as_worker")


def test_without_dask_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StudioError, match=r"pip install 'ldam-studio\[atlas\]'"):
        cluster.check_installed()


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


def test_another_version_of_dask_is_refused():
    from distributed.versions import get_versions

    here = get_versions()
    other = {"packages": {**here["packages"], "distributed": "2024.1.0"}}
    with pytest.raises(StudioError, match=r"s:1 has distributed 2024.1.0, and this program 2"):
        cluster.check_versions(other, "s:1")
    with pytest.raises(StudioError, match="s:1 has distributed None"):
        cluster.check_versions({}, "s:1")
    cluster.check_versions(here, "s:1")


def test_a_scheduler_without_this_program_or_with_another_version_is_one_sentence(client):
    def answers(version):
        async def run_on_scheduler(_function, asynchronous):
            return version()

        client.run_on_scheduler = run_on_scheduler
        return client

    def missing():
        raise ModuleNotFoundError("No module named 'ldam_studio'")

    with pytest.raises(StudioError, match=r"scheduler at s:1 has no LDAM Studio.*No module"):
        cluster.check_scheduler(answers(missing), "s:1")
    with pytest.raises(StudioError, match=r"scheduler at s:1 has LDAM Studio 0\.0\.1"):
        cluster.check_scheduler(answers(lambda: "0.0.1"), "s:1")
    cluster.check_scheduler(answers(lambda: __version__), "s:1")


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
def test_the_worker_that_does_not_fit_is_named(order, answer, says, client):
    async def run(*_args, **_named):
        return {"tcp://w:1": "", "tcp://w:2": answer}

    client.run = run
    with pytest.raises(StudioError) as raised:
        cluster.check_workers(client, order.network)
    assert says in str(raised.value)


def test_workers_that_do_not_say_whether_they_fit_are_named(order, client, monkeypatch):
    async def nthreads(asynchronous):
        return {"tcp://w:1": 1, "tcp://w:2": 1}

    async def run(_function, *_args, workers=(), **_named):
        if workers != ["tcp://w:1"]:
            await silence()
        return {"tcp://w:1": __version__}

    monkeypatch.setattr(cluster, "OPENS_S", 0.0)
    monkeypatch.setattr(cluster, "ANSWERS_S", 0.1)
    client.nthreads, client.run = nthreads, run
    with pytest.raises(StudioError, match=r"The workers tcp://w:2 did not say .*; end those"):
        cluster.check_workers(client, order.network)
