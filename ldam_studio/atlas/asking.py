"""Asking a scheduler: no answer is waited for without end, and Ctrl-C is heard meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, wait
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from distributed import Client

POLL_S = 0.2
"""Seconds between two looks at whether the work is to end."""
ANSWERS_S = 30.0
"""Seconds after which a scheduler that does not answer is lost."""


class SilentError(StudioError):
    """There was no answer in time."""


def answer_of(
    client: Client,
    question: Coroutine[Any, Any, Any],
    still: Callable[[], None],
    limit_s: float = ANSWERS_S,
) -> Any:
    """Wait for an answer, which the client's own thread receives, and return it.

    Parameters
    ----------
    question
        What a method of the client returns with `asynchronous=True`.
    still
        Called now and then meanwhile; what it raises, such as `Stopped`, ends the waiting.

    Raises
    ------
    StudioError
        If the connection to the scheduler is lost, or there is no answer in time (`SilentError`).
        Other errors are those of the question.
    """
    loop: Any = client.loop
    asked = asyncio.run_coroutine_threadsafe(question, loop.asyncio_loop)
    ends = time.monotonic() + limit_s
    try:
        while not wait([asked], POLL_S).done:
            still()
            if time.monotonic() > ends:
                raise SilentError(
                    f"The scheduler {address_of(client)} does not answer any more; what was drawn "
                    "is in the folder, and the same command goes on once it answers."
                )
        return asked.result()
    except (CancelledError, OSError) as error:
        raise lost(client) from error
    finally:
        asked.cancel()


def lost(client: Client) -> StudioError:
    """Return the error of a scheduler to which there is no connection any more."""
    return StudioError(
        f"The connection to the scheduler {address_of(client)} was lost; what was drawn is in the "
        "folder, and the same command goes on."
    )


def address_of(client: Client) -> str:
    """Return the address of the client's scheduler."""
    return str(client.scheduler.address) if client.scheduler is not None else "?"
