"""What a run is asked for: settings from a preset and single values, and the session they make."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import index
from pathlib import Path
from typing import Any, SupportsIndex

from ldam_studio.engine.beside import Beside
from ldam_studio.engine.compute.device import AUTO, Device, choose
from ldam_studio.engine.session import SessionSpec
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import FLOAT32, PLAIN
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.schedule import judges
from ldam_studio.sampler.settings import SETTINGS, Settings, is_of_chains
from ldam_studio.sampler.stability import check_stable

MOST_STEPS = 1_000_000_000
MOST_SEED = 2**63 - 1


def device_for(name: str, precision: str, threads: int) -> Device:
    """Return the device; raises as `choose` does. float32 measures nothing."""
    plan = PLAIN if precision == FLOAT32 else replace(PLAIN, layout=AUTO)
    return choose(name, precision, threads, plan)


def settings_for(
    pixels: PixelSpec, preset: Preset | None, given: Mapping[str, Any], *, discriminator: bool
) -> Settings:
    """Return settings: those `given`, else the preset's, else the defaults.

    Parameters
    ----------
    pixels
        The network's images, to which presets adapt.
    discriminator
        Whether there is one for these images.

    Raises
    ------
    StudioError
        If there is no such setting, or a value is out of range.
    """
    settings = Settings()
    if preset is not None:
        settings = Settings.of(**preset.values(pixels.shape, discriminator=discriminator))
    return settings.with_values(given)


def session_for(
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    device: Device,
    *,
    chains: int | None = None,
    seed: int = 0,
    discriminator_weights: Path | None = None,
    learn_every: int = 0,
    data: Path | None = None,
    beside: Beside | None = None,
) -> SessionSpec:
    """Return how the session starts; it has a discriminator if the settings need one.

    Raises
    ------
    StudioError
        If steps would not be stable, or there is no discriminator that is needed.
    """
    both = [settings] if beside is None else [settings, beside.settings(settings)]
    for each in both:
        check_stable(each, network.pixels.shape)
    discriminator = None
    if any(judges(each) for each in both) or learn_every:
        discriminator = discriminator_of(
            network, discriminator_weights, "set its weight, discriminator_weight, to 0"
        )
    return SessionSpec(
        network=network,
        neurons=spread(neurons, chains),
        settings=settings,
        seed=seed,
        discriminator=discriminator,
        device=device,
        learn_every=learn_every,
        data=data,
        beside=() if beside is None else (beside.spec(settings),),
    )


def spread(neurons: Sequence[Neuron], chains: int | None) -> tuple[Neuron, ...]:
    """Repeat each neuron for its chains, as evenly as possible; chains of a neuron are adjacent."""
    count = max(len(neurons), chains or 0)
    return tuple(neurons[i * len(neurons) // count] for i in range(count))


def check_samples(spec: SessionSpec, steps: int) -> None:
    """Raise `StudioError` if a run of so many steps would have no sample."""
    thin = max(lane.settings.thin for lane in spec.outline.lanes)
    if thin > steps:
        raise StudioError(
            f"With a thinning of {thin}, the first sample comes with step {thin:,}, and the run "
            f"ends with step {steps:,}; use more steps or a lower thinning."
        )


def checked_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a script's settings with arrays as lists; `StudioError` for a name that is none."""
    names = [name for name in SETTINGS if is_of_chains(name)]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1) or difflib.get_close_matches(
                name, names, 1, cutoff=0.0
            )
            raise StudioError(
                f"There is no setting {name!r}; the nearest is {near[0]}, and ldam-studio info "
                "--settings lists all."
            )
    return {n: v.tolist() if hasattr(v, "tolist") else v for n, v in given.items()}


def whole(name: str, value: Any, least: int, most: int) -> int:
    """Return a whole number, also one of NumPy's; `StudioError` if it is none, or out of range."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise StudioError(f"{name} must be a whole number, not {value!r}.")
    number = index(value)
    if not least <= number <= most:
        raise StudioError(f"{name} must lie between {least:,} and {most:,}, not {number:,}.")
    return number
