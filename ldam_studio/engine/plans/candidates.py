"""The plans of execution among which a search chooses."""

from __future__ import annotations

from dataclasses import replace

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.tuning import computes_in_bfloat16
from ldam_studio.networks.plan import (
    BFLOAT16,
    CHANNELS_LAST,
    CONTIGUOUS,
    ONEDNN,
    TORCH,
    Plan,
)


def candidates(device: Device) -> list[Plan]:
    """Return the plans that are tried on a device, the most promising first."""
    asked = device.precision if "precision" in device.asked else ""
    half = [
        Plan(BFLOAT16, layout=CHANNELS_LAST, first_layers=ONEDNN),
        Plan(BFLOAT16, layout=CONTIGUOUS, first_layers=ONEDNN),
        Plan(BFLOAT16),  # autocast
    ]
    whole = [
        Plan(layout=layout, first_layers=first)
        for layout, first in (
            (CHANNELS_LAST, TORCH),
            (CHANNELS_LAST, ONEDNN),
            (CONTIGUOUS, TORCH),
            (CONTIGUOUS, ONEDNN),
        )
    ]
    found: list[Plan] = []
    if asked == BFLOAT16 or (not asked and computes_in_bfloat16(device.name)):
        found += half
    if asked != BFLOAT16:
        found += whole
    return [replace(plan, threads=device.threads) for plan in found]
