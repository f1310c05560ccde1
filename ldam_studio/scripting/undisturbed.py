"""Leaving the program that calls as it was: what sampling sets for all of torch is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.surroundings import PARTS, put
from ldam_studio.scripting.argument_names import in_python

KEPT = ("precision", "threads", "kernels")
"""The parts of `surroundings.PARTS` that sampling depends on or sets.

Generators are not among them: whatever draws from those of the process puts them back itself, and
a caller's own function for progress may draw, too."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within, torch is as the sampler needs it; afterwards as the caller had it.

    A `StudioError` passes in the words of a script.
    """
    before = {name: PARTS[name].read() for name in KEPT}
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            if torch.get_default_device().type != "cpu":
                # Not `set_default_device`, which a caller's own such context would outlive.
                stack.enter_context(torch.device("cpu"))
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            put({"precision": torch.float32})
            yield
    except StudioError as error:
        error.args = (in_python(str(error)),)
        raise
    finally:
        put(before)
