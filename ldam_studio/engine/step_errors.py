"""Error messages for steps that fail, with what to do about it."""

from __future__ import annotations

from ldam_studio.engine.compute.memory_needed import step_bytes
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import in_words


def too_large(lane: Lane) -> StudioError:
    """Return an error that says how much memory a lane's steps need."""
    chains, targets = len(lane.neurons), lane.targets
    needed = in_words(step_bytes(lane.sized, targets.layer, targets.crop, chains))
    return StudioError(
        f"There is not enough memory for {chains} chain{'s' * (chains > 1)} in layer "
        f"{targets.layer} of {lane.network.name}: at least {needed}; take fewer chains or a "
        "smaller input."
    )


def fails(lane: Lane, error: Exception) -> StudioError:
    """Return an error about the user's own code that raised an exception in a step."""
    chains = len(lane.neurons)
    return StudioError(
        f"{lane.network.name} fails in a step of {chains} chain{'s' * (chains > 1)} in layer "
        f"{lane.targets.layer} ({in_short(error)}); its forward pass must accept this number of "
        "images and have a gradient."
    )


def which_to_lower(state: SessionState) -> str:
    """Return a sentence with the setting that most likely made a chain explode."""
    lanes = [lane.parameters for lane in state.lanes]
    product = max(
        float((p.step_size * (p.columns["l2"] + p.columns["natural_l2"])).max()) for p in lanes
    )
    temperature = max(float(p.temperature.max()) for p in lanes)
    if product >= 2:
        cause = (
            f"lower the L2 weight or the step size until their product is below 2 (now {product:g})"
        )
    elif temperature > 100:
        cause = f"lower the temperature (now {temperature:g})"
    else:
        step_size = max(float(p.step_size.max()) for p in lanes)
        cause = f"lower the step size (now {step_size:g})"
    return (
        f"A chain became infinite or NaN in step {state.step + 1:,}: {cause}, or clamp to valid "
        "pixels."
    )
