"""A cluster of one worker, this process, without Dask's scheduler."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace


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

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.cancelled, self.loop = [], SimpleNamespace(asyncio_loop=loop)
        self.scheduler = SimpleNamespace(address="tcp://s:1")

    async def nthreads(self, asynchronous):
        return {"tcp://w:1": 1}

    def submit(self, function, *args, pure, workers=(), allow_other_workers=False, **named):
        return FakeFuture(lambda: function(*args, **named))

    async def gather(self, futures, asynchronous):
        return [future.result() for future in futures]

    def cancel(self, futures, force):
        self.cancelled += futures


async def silence(*_args, **_named):
    await asyncio.Event().wait()
