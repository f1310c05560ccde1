"""The denoiser in a session's steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.denoisers import DENOISERS, DenoiserModel, denoiser_for, open_denoiser
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.prior import Prior, reduced, strength
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings

WEIGHT = "denoiser_weight"


def denoiser_of(lane: Lane) -> str | None:
    """Return the name of the denoiser that takes part in some of a lane's steps; None without one.

    It does not depend on the present size of the images: at a coarse resolution they are still
    those of the network that was opened.
    """
    weighed = any(weighted.term.setting == WEIGHT for weighted in lane.parameters.terms)
    return denoiser_for(lane.network.pixels) if weighed else None


def taking_part(lane: Lane, step: int) -> str | None:
    """Return the name of the denoiser in a lane's step with this number; None without one.

    It takes part in every step whose number is divisible by the setting `denoiser_every`. Its name
    is also the random source of the noise that is added before denoising.
    """
    return None if step % lane.settings.denoiser_every else denoiser_of(lane)


def sources_of_priors(lanes: Sequence[Lane], step: int) -> list[str]:
    """Return the names of the random sources of all lanes' priors in this step, each once."""
    sources = {
        f"{name}/{chain}": None
        for lane in lanes
        if (name := taking_part(lane, step)) is not None
        for chain in range(len(lane.neurons))
    }
    return list(sources)


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
    priors: list[Prior | None] = []
    for lane in lanes:
        denoiser = taking_part(lane, step)
        if denoiser is None:
            priors.append(None)
            continue
        model = open_denoiser(denoiser, device.name)
        for name, state in before.items():
            generators[name].set_state(state)
        chains, channels, *size = lane.chains.x.shape
        shape = chains, channels, *reduced(*size)
        priors.append(_prior(lane, model, generators.normal(denoiser, shape), device))
    return priors


def _prior(lane: Lane, model: DenoiserModel, noise: Tensor, device: Device) -> Prior:
    level = lane.parameters.columns["denoiser_noise"]
    (rate,) = (one.rate for one in lane.parameters.terms if one.term.setting == WEIGHT)

    def denoise(x: Tensor, levels: Tensor) -> Tensor:
        with device.autocast():
            return model(x, levels).float()

    return Prior(denoise, level, noise, strength(lane.settings.denoiser_every, level, rate))


def check_denoiser(lanes: Iterable[Lane], device: Device) -> None:
    """Open the denoisers that lanes use, so that no step fails because of their weights.

    Raises
    ------
    StudioError
        If the weights are missing or damaged.
    """
    for name in set(map(denoiser_of, lanes)) - {None}:
        open_denoiser(name, device.name)


def check_denoiser_for(pixels: PixelSpec, settings: Settings, device: Device) -> None:
    """Open the denoiser that a network for these images will use with these settings, if any.

    Raises
    ------
    StudioError
        If its weights are missing or damaged.
    """
    weight, name = settings.denoiser_weight, denoiser_for(pixels)
    weighed = any(weight) if isinstance(weight, tuple) else weight > 0
    if weighed and name is not None:
        open_denoiser(name, device.name)


def denoiser_hash(state: SessionState) -> str | None:
    """Return the SHA-256 of the denoiser's weights; None if none had a part in this session.

    If several had, for networks that replaced each other, their hashes are joined by "+".
    """
    names = {denoiser_of(lane) for lane in state.lanes}
    if any(entry.name == WEIGHT for entry in state.log):
        names.add(denoiser_for(state.lane.network.pixels))
    # Perhaps for a network that is no longer there.
    names.update(source.split("/")[0] for source in state.generators.state())
    hashes = [open_denoiser(name, state.device.name).sha256 for name in DENOISERS if name in names]
    return "+".join(hashes) or None


def check_same_denoiser(sha256: str | None) -> None:
    """Check that the shipped denoisers include those with these hashes; None stands for any.

    Parameters
    ----------
    sha256
        What `denoiser_hash` returned.

    Raises
    ------
    StudioError
        If one of them is missing here, or the weights are missing or damaged.
    """
    for wanted in [] if sha256 is None else sha256.split("+"):
        if all(open_denoiser(name).sha256 != wanted for name in DENOISERS):
            raise StudioError(
                f"The picture was made with another denoiser (SHA-256 {wanted[:12]}...) than those "
                "of this program; replay it with the version of LDAM Studio that made it."
            )
