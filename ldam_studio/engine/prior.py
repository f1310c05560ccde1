"""The denoiser in a session's steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.denoisers import DenoiserModel, open_denoiser, takes
from ldam_studio.sampler.prior import Prior, reduced, strength
from ldam_studio.sampler.random import Generators

WEIGHT, SOURCE = "denoiser_weight", "denoiser"
"""The setting, and the random source of the noise that is added before denoising."""


def uses_denoiser(lane: Lane) -> bool:
    """Return whether the denoiser takes part in some of a lane's steps."""
    weighed = any(weighted.term.setting == WEIGHT for weighted in lane.parameters.terms)
    return weighed and takes(lane.sized.pixels)


def takes_part(lane: Lane, step: int) -> bool:
    """Return whether the denoiser takes part in a lane's step with this number.

    It does in every step whose number is divisible by the setting `denoiser_every`.
    """
    return uses_denoiser(lane) and step % lane.settings.denoiser_every == 0


def sources_of_priors(lanes: Sequence[Lane], step: int) -> list[str]:
    """Return the names of the random sources of all lanes' priors in this step, each once."""
    chains = [len(lane.neurons) for lane in lanes if takes_part(lane, step)]
    return [f"{SOURCE}/{chain}" for chain in range(max(chains, default=0))]


def draw_priors(
    lanes: Sequence[Lane], step: int, device: Device, generators: Generators
) -> list[Prior | None]:
    """Return the denoiser's part in each lane's step; None if it has none.

    All lanes read the same random numbers.

    Raises
    ------
    StudioError
        If the denoiser's weights are missing or damaged.
    """
    before = {name: generators[name].get_state() for name in sources_of_priors(lanes, step)}
    model = open_denoiser(device.name) if before else None
    priors: list[Prior | None] = []
    for lane in lanes:
        if model is None or not takes_part(lane, step):
            priors.append(None)
            continue
        for name, state in before.items():
            generators[name].set_state(state)
        chains, channels, *size = lane.chains.x.shape
        shape = chains, channels, *reduced(*size)
        priors.append(_prior(lane, model, generators.normal(SOURCE, shape), device))
    return priors


def _prior(lane: Lane, model: DenoiserModel, noise: Tensor, device: Device) -> Prior:
    level = lane.parameters.columns["denoiser_noise"]
    (rate,) = (one.rate for one in lane.parameters.terms if one.term.setting == WEIGHT)

    def denoise(x: Tensor, levels: Tensor) -> Tensor:
        with device.autocast():
            return model(x, levels).float()

    return Prior(denoise, level, noise, strength(lane.settings.denoiser_every, level, rate))


def check_denoiser(lanes: Iterable[Lane], device: Device) -> None:
    """Open the denoiser if a lane uses it, so that no step fails because of its weights.

    Raises
    ------
    StudioError
        If its weights are missing or damaged.
    """
    if any(uses_denoiser(lane) for lane in lanes):
        open_denoiser(device.name)


def denoiser_hash(state: SessionState) -> str | None:
    """Return the SHA-256 of the denoiser's weights; None if it had no part in this session."""
    changed = any(entry.name == WEIGHT for entry in state.log)
    # Perhaps for a network that is no longer there.
    drawn = any(name.startswith(f"{SOURCE}/") for name in state.generators.state())
    if not (changed or drawn or any(uses_denoiser(lane) for lane in state.lanes)):
        return None
    return open_denoiser(state.device.name).sha256


def check_same_denoiser(sha256: str | None) -> None:
    """Check that the shipped denoiser is the one with this hash; None stands for any.

    Raises
    ------
    StudioError
        If it is another one, or its weights are missing or damaged.
    """
    if sha256 is not None and sha256 != (here := open_denoiser().sha256):
        raise StudioError(
            f"The picture was made with another denoiser (SHA-256 {sha256[:12]}..., here "
            f"{here[:12]}...); replay it with the version of LDAM Studio that made it."
        )
