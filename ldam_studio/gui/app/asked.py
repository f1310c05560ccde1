"""What a script asks of the window: a network, and the chains that it starts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.compute.device import AUTO, MOST_THREADS
from ldam_studio.gui.app.launch import load_qt
from ldam_studio.gui.app.start import Named, Start
from ldam_studio.networks.discriminators import discriminator_for, discriminator_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.in_memory import is_in_memory
from ldam_studio.networks.sources.opening import open_network as open_named
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.sampler.schedule import judges
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.sampler.stability import check_stable
from ldam_studio.scripting.neurons import Neurons, chosen
from ldam_studio.scripting.opening import open_network
from ldam_studio.scripting.request import (
    MOST_SEED,
    checked_names,
    device_for,
    settings_for,
    spread,
    whole,
)
from ldam_studio.user_presets import UserPresets

if TYPE_CHECKING:
    from torch import nn

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.session import SessionSpec


@dataclass(frozen=True)
class Again:
    """How to open a network that has a name again, in another process."""

    name: str
    weights: Path | None
    options: Options


@dataclass(frozen=True)
class Asked:
    """The arguments of `scripted.studio`, which describes them."""

    network: Network | nn.Module | str | Again
    neurons: Neurons | None = None
    preset: str | None = None
    chains: int | None = None
    seed: int | None = None
    device: str = AUTO
    precision: str = AUTO
    threads: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_send(self) -> Asked:
        """Return the same without a network that another process can open for itself."""
        network = self.network
        if isinstance(network, str | Again):
            return self
        opened = network if isinstance(network, Network) else open_network(network)
        if is_in_memory(opened.name):
            return replace(self, network=opened)
        given = opened.provenance
        options = Options(
            given.given_pixels,
            given.given_labels or opened.labels or None,
            given.partial,
            steady=opened.behaviour.steady,
            class_layer=given.given_class_layer,
            weights_key=given.weights_key,
            random_seed=given.random_seed,
        )
        return replace(self, network=Again(opened.name, given.weights, options))


def start_of(asked: Asked) -> Start:
    """Return what the window starts with.

    Raises
    ------
    StudioError
        If the network cannot be opened, has no such neuron, or a value is out of range.
    """
    threads = whole("threads", asked.threads, 0, MOST_THREADS)
    device = device_for(asked.device, asked.precision, threads)
    network = _opened(asked.network)
    request = NetworkRequest.same(network)
    return Start(device, named=Named(network, request, spec=spec_of(asked, network, device)))


def _opened(network: Network | nn.Module | str | Again) -> Network:
    if isinstance(network, Network):
        return network
    if isinstance(network, Again):
        return open_named(network.name, network.weights, network.options)
    return open_network(network)


def spec_of(asked: Asked, network: Network, device: Device) -> SessionSpec | None:
    """Return what is asked for, None for the window's own; raises as `start_of` does."""
    given = checked_names(asked.settings)
    if (asked.neurons, asked.preset, asked.chains, asked.seed) == (None,) * 4 and not given:
        return None
    load_qt()
    from ldam_studio.gui.session.openings import network_spec

    own = network_spec(network, device)
    settings = own.settings.with_values(given)
    if asked.preset is not None:
        preset = UserPresets().find(asked.preset)
        fits = discriminator_for(network) is not None
        settings = settings_for(network.pixels, preset, given, discriminator=fits)
    check_stable(settings, network.pixels.shape)
    if judges(settings):
        discriminator_of(network, None, "set its weight, discriminator_weight, to 0")
    neurons = own.neurons
    if asked.neurons is not None:
        neurons = spread(chosen(asked.neurons, network), None)
    if asked.chains is not None:
        most = int(SETTINGS["chains"].maximum)
        count = whole("chains", asked.chains, 1, most)
        neurons = spread(tuple(dict.fromkeys(neurons)), count)
    seed = own.seed if asked.seed is None else whole("seed", asked.seed, 0, MOST_SEED)
    found = replace(own, neurons=neurons, settings=settings, seed=seed)
    _ = found.outline  # raises what opening would, before there is a window
    return found
