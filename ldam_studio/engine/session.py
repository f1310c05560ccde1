"""Opening a session from a description, and describing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ldam_studio.engine.comparison import Second, describe_second, make_second
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.discriminator import prepare_learner, suits
from ldam_studio.engine.lane import open_lane
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import layer_of, settle, try_again
from ldam_studio.engine.watching.reader import mean_of
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import DiscriminatorModel, open_discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.networks.sources.labels import can_be_read
from ldam_studio.networks.sources.opening import Options, open_network
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings


@dataclass(frozen=True)
class SessionSpec:
    """All that has to be known to start a session.

    `neurons` has one neuron per chain, all of one layer. `learn_every` and `discriminator_rounds`
    are the settings of these names. `data` is where real images are taken from
    when the discriminator goes on learning; None is the shipped sample. `second` is what the
    network is compared with.
    """

    network: Network
    neurons: tuple[Neuron, ...]
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    discriminator: DiscriminatorModel | None = None
    device: Device = field(default_factory=choose)
    learn_every: int = 0
    discriminator_rounds: int = 0
    data: Path | None = None
    second: Second | None = None


def open_session(spec: SessionSpec, *, restoring: bool = False) -> SessionState:
    """Start a session: draw the chains' first images, make its lanes.

    With `restoring`, the chains will be put where they were, and what was found about precision
    holds: it is not tried again on their first images.

    Raises
    ------
    StudioError
        If a neuron is not the network's, or discriminator or second network take other images.
    """
    spec.device.apply()
    network = spec.network.to(spec.device.name)
    if spec.discriminator is not None:
        if not suits(spec.discriminator, network):
            raise StudioError(
                f"The discriminator {spec.discriminator.name} takes {spec.discriminator.images}, "
                f"the network {network.name} of {network.pixels.shape}."
            )
        spec.discriminator.module.to(spec.device.name)
    generators = Generators(spec.seed, spec.device.name)
    lane = open_lane(network, spec.neurons, spec.settings, spec.device, generators)
    state = SessionState(
        seed=spec.seed,
        step=0,
        lanes=(lane,),
        device=settle(spec.device, lane),
        generators=generators,
        discriminator=spec.discriminator,
        learn_every=spec.learn_every,
        discriminator_rounds=spec.discriminator_rounds,
        data=spec.data,
    )
    if spec.second is not None:
        state.lanes = (lane, make_second(state, spec.second))
    if state.device.tried and spec.device.precision == "auto":
        state.bfloat16_layers = frozenset({layer_of(lane)})
    if not restoring:
        try_again(state)  # on what was not tried just now, as the second lane
    prepare_learner(state)
    state.origin = describe(state)
    return state


def describe(state: SessionState) -> dict[str, Any]:
    """Return what `spec_from` needs to start this session as it is set now, in JSON's types.

    What the chains, averages and learner have become is not part of it.
    """
    lane = state.lane
    second = {} if state.second is None else {"second": describe_second(state.second)}
    return {
        "network": lane.network.reference,
        "neurons": [str(neuron) for neuron in lane.neurons],
        "settings": asdict(lane.settings),
        "seed": state.seed,
        "discriminator": None if state.discriminator is None else state.discriminator.reference,
        "learn_every": state.learn_every,
        "discriminator_rounds": state.discriminator_rounds,
        "data": None if state.data is None else str(state.data),
        "machine": state.device.json(),
    } | second


def spec_from(
    description: Mapping[str, Any], device: Device | None = None, *, allow_code: bool = False
) -> SessionSpec:
    """Read a description as `describe` writes it, and open its network and discriminator.

    A network that is a person's own code is run only if `allow_code` says so.

    Raises
    ------
    StudioError
        If weights are missing or are not those that were described, or something is unreadable.
    """
    try:
        neurons = tuple(Neuron.parse(text) for text in description["neurons"])
        settings = Settings.of(**description["settings"])
        where = description["machine"]
        data = description["data"]
        second = description.get("second")
        return SessionSpec(
            network=network_from(description["network"], allow_code=allow_code),
            neurons=neurons,
            settings=settings,
            seed=int(description["seed"]),
            discriminator=discriminator_from(description["discriminator"]),
            device=_device(device, where),
            learn_every=int(description["learn_every"]),
            discriminator_rounds=int(description.get("discriminator_rounds", 0)),
            data=None if data is None else Path(data),
            second=None if second is None else second_from(second, allow_code=allow_code),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StudioError(
            f"The description of the session is incomplete or damaged ({error}); export it again."
        ) from None


def second_from(description: Mapping[str, Any], *, allow_code: bool = False) -> Second:
    """Read what `Second.json` wrote, and open its network; raises as `network_from` does."""
    neurons, settings = description["neurons"], description["settings"]
    return Second(
        network_from(description["network"], allow_code=allow_code),
        None if neurons is None else tuple(Neuron.parse(text) for text in neurons),
        None if settings is None else Settings.of(**settings),
        restart=bool(description["restart"]),
    )


def _device(given: Device | None, recorded: Mapping[str, Any]) -> Device:
    """Return the recorded device, or the given one with what it leaves open as recorded."""
    if given is None:
        return choose(recorded["device"], recorded["precision"], recorded["threads"])
    threads = given.threads or recorded["threads"]
    if given.precision != "auto":
        return replace(given, threads=threads)
    tried = bool(recorded.get("tried", False))
    return replace(given, precision=recorded["precision"], threads=threads, tried=tried)


def network_from(reference: Mapping[str, Any], *, allow_code: bool = False) -> Network:
    """Open the network that a reference names.

    Raises
    ------
    StudioError
        If its weights are others, or if opening it would run code that only its file names: a
        picture from somewhere else must not be able to do that, unless a person says so
        (`allow_code`).
    """
    if runs_code(reference["name"]) and not allow_code:
        raise StudioError(
            f"The network {reference['name']} is a person's own code, which is not run because a "
            "file names it; open it with --network first, or replay with --allow-code where you "
            "trust it."
        )
    pixels, labels = reference.get("pixels"), reference.get("labels")
    options = Options(
        pixels=None if pixels is None else PixelSpec.of(pixels),
        # Names are for the eye: where their file is gone, everything else is still the same.
        labels=Path(labels) if labels is not None and can_be_read(Path(labels)) else None,
        partial=bool(reference.get("partial", False)),
        untrained=bool(reference.get("untrained", False)),
    )
    network = open_network(reference["name"], _path(reference), options)
    _same_weights(f"network {network.name}", reference, network.sha256)
    parts = reference.get("mean_of", ())
    files = [WeightsFile(Path(part["weights"]), part["sha256"]) for part in parts]
    return mean_of(network, files) if files else network


def discriminator_from(reference: Mapping[str, Any] | None) -> DiscriminatorModel | None:
    """Open the discriminator that a reference names; `StudioError` if its weights are others."""
    if reference is None:
        return None
    model = open_discriminator(reference["name"], _path(reference))
    _same_weights(f"discriminator {model.name}", reference, model.sha256)
    return model


def _path(reference: Mapping[str, Any]) -> Path | None:
    return None if reference["weights"] is None else Path(reference["weights"])


def _same_weights(what: str, reference: Mapping[str, Any], sha256: str) -> None:
    if reference["sha256"] != sha256:
        raise StudioError(
            f"The weights of the {what} are not those that were used (SHA-256 {sha256[:12]}..., "
            f"not {str(reference['sha256'])[:12]}...); put the right file back."
        )
