"""Opening a session from a specification or a description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.comparison import open_beside
from ldam_studio.engine.comparison import LaneSpec, checked
from ldam_studio.engine.compute.device import AUTO, Device, choose
from ldam_studio.engine.compute.memory_needed import FLOAT
from ldam_studio.engine.description import (
    BesideDescription,
    DeviceDescription,
    LaneDescription,
    Reference,
    SessionDescription,
    describe,
    parse_session,
)
from ldam_studio.engine.discriminator import prepare_learner
from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference
from ldam_studio.engine.lane import open_lane
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.picture_values import from_inside
from ldam_studio.engine.prior import check_denoiser
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import layer_of, settle, try_again
from ldam_studio.engine.watching.reader import mean_of
from ldam_studio.errors import StudioError, plain
from ldam_studio.memory import free_bytes, require
from ldam_studio.networks.discriminators import DiscriminatorModel, open_discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.sources.families import runs_code, to_download
from ldam_studio.networks.sources.in_memory import check_has_file
from ldam_studio.networks.sources.labels import can_be_read
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import FORMER, Options
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings

VALUES_PER_PIXEL = 32
"""What a network computes at least, as a multiple of the values in an image."""


@dataclass(frozen=True)
class SessionSpec:
    """Everything that is needed to start a session.

    `neurons` has one neuron per chain, all in one layer. `learn_every` and `discriminator_rounds`
    are the settings with these names. `data` is the folder of real images for a discriminator that
    learns; None for the shipped sample. `beside` has the lanes to compare the network with.
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
    beside: tuple[LaneSpec, ...] = ()

    @property
    def outline(self) -> Outline:
        """The outline of the session at its start.

        Raises
        ------
        StudioError
            If a neuron does not exist, or if the discriminator or another network takes other
            images.
        """
        neurons = checked(self.network, self.neurons)
        settings = self.settings.for_chains(len(neurons))
        outline = Outline(
            (LaneOutline(self.network, neurons, settings),),
            seed=self.seed,
            device=self.device,
            discriminator=self.discriminator,
            learn_every=self.learn_every,
            discriminator_rounds=self.discriminator_rounds,
            data=self.data,
        )
        model = self.discriminator
        if model is not None and not model.takes(self.network.pixels):
            raise StudioError(
                f"The discriminator {model.name} takes {model.images}, but the network "
                f"{self.network.name} takes images of {self.network.pixels.shape}; choose another."
            )
        for number, spec in enumerate(self.beside, 1):
            outline = outline.after(Change("compare", spec, number))
        return outline


def open_session(spec: SessionSpec, *, restoring: bool = False) -> SessionState:
    """Start a session: make its lanes and draw the chains' first images.

    With `restoring`, the caller will replace the chains by stored ones. The stored result about the
    plan then holds, so it is not compared again on the first images.

    Raises
    ------
    StudioError
        If a neuron does not exist, or if the discriminator or another network takes other images.
    """
    spec.device.apply()
    outline = spec.outline
    outline.lanes[0].network.to(spec.device.name)
    if outline.discriminator is not None:
        outline.discriminator.module.to(spec.device.name)
    generators = Generators(spec.seed, spec.device.name)
    lane = open_lane(outline.lanes[0], spec.device, generators)
    device = settle(spec.device, lane)
    others = (open_beside(other, spec.seed, device) for other in outline.lanes[1:])
    state = SessionState(
        seed=spec.seed,
        step=0,
        lanes=(lane, *others),
        device=device,
        generators=generators,
        discriminator=spec.discriminator,
        learn_every=spec.learn_every,
        discriminator_rounds=spec.discriminator_rounds,
        data=spec.data,
    )
    if state.device.tried and spec.device.precision == AUTO:
        state.checked_layers = frozenset({layer_of(lane)})
    if not restoring:
        try_again(state)  # for the lanes beside the first, which `settle` has not measured
    check_denoiser(state.lanes, state.device)
    prepare_learner(state)
    state.origin = describe(state.outline)
    return state


class Opener:
    """Opens the networks and discriminators in descriptions.

    Parameters
    ----------
    allow_code
        Whether networks that are the user's own code may be opened. Opening one runs its code.
    allow_download
        Whether the published weights of a library's networks may be downloaded.

    Attributes
    ----------
    statistics
        `Reference.statistics` for networks whose reference does not name them, by the SHA-256 of
        their weights.
    inside
        The values of pictures that a recipe holds, by their SHA-256; see `picture_values.inside`.
    """

    def __init__(self, *, allow_code: bool = False, allow_download: bool = False) -> None:
        self._allow_code, self._allow_download = allow_code, allow_download
        self.statistics: dict[str, str] = {}
        self.inside: Mapping[str, str] = {}

    def found(self, reference: Reference) -> Reference:
        """Return the reference with paths of existing files; a hook for subclasses."""
        return reference

    def check_code(self, reference: Reference) -> None:
        """Raise `StudioError` if opening a network would run code that is not allowed.

        A picture from somewhere else must not run code unless the user says so.
        """
        check_has_file(reference.name)
        if runs_code(reference.name) and not self._allow_code:
            raise StudioError(
                f"The network {reference.name} is Python code from outside this program, which is "
                "not run just because a file names it; open it with --network first, or replay "
                "with --allow-code if you trust it."
            )

    def check_download(self, reference: Reference) -> None:
        """Raise `StudioError` if weights would be downloaded just because a file names them."""
        if reference.weights is not None or reference.untrained or self._allow_download:
            return
        published = to_download(reference.name)
        if published is not None:
            raise StudioError(
                f"{reference.name} is not on this computer, and nothing is downloaded just because "
                f"a file names it; to download {published.file}, replay with --download, or open "
                "the network once with File, Open Network."
            )

    def place(self, recorded: str) -> Path | None:
        """Return the folder that a description names; a hook for subclasses."""
        return Path(recorded)

    def network(self, reference: Reference) -> Network:
        """Open the network of a reference.

        Raises
        ------
        StudioError
            If its weights have changed, or as `check_code` does.
        """
        self.check_code(reference)
        reference = self.found(reference)
        self.check_download(reference)
        labels = None if reference.labels is None else Path(reference.labels)
        pixels = None if reference.pixels is None else PixelSpec.of(reference.pixels)
        if pixels is not None:
            _check_size(reference.name, pixels)
        options = Options(
            pixels=pixels,
            # Class names are only displayed: without their file everything else is the same.
            labels=labels if labels is not None and can_be_read(labels) else None,
            partial=reference.partial,
            untrained=reference.untrained,
            class_layer=reference.class_layer or FORMER,
            behaviour=reference.behaviour,
            weights_key=reference.weights_key,
            random_seed=reference.random_seed,
        )
        network = open_network(reference.name, _path(reference), options)
        _same_weights(f"network {network.name}", reference, network.sha256)
        files = [WeightsFile(Path(part.weights), part.sha256) for part in reference.mean_of]
        network = mean_of(network, files) if files else network
        named = reference.statistics
        network.statistics_sha256 = self.statistics.get(network.sha256) if named is None else named
        return network

    def picture(self, reference: PictureReference) -> KeptPicture:
        """Return a picture that was brought into the session.

        Raises
        ------
        StudioError
            If the recipe does not hold it and no file has it, or it is damaged.
        """
        held = self.inside.get(reference.sha256)
        return self.picture_file(reference) if held is None else from_inside(reference, held)

    def picture_file(self, reference: PictureReference) -> KeptPicture:
        """Read a picture that is not inside the recipe; a hook for subclasses."""
        raise StudioError(
            f"The picture {plain(reference.title, 100)} is not inside the recipe; put its file "
            "into the folder of the exported picture."
        )

    def discriminator(self, reference: Reference | None) -> DiscriminatorModel | None:
        """Open the discriminator of a reference; `StudioError` if its weights have changed."""
        if reference is None:
            return None
        reference = self.found(reference)
        model = open_discriminator(reference.name, _path(reference))
        _same_weights(f"discriminator {model.name}", reference, model.sha256)
        return model

    def lane(self, description: LaneDescription | BesideDescription) -> LaneSpec:
        """Open the lane of a description; raises as `network` does."""
        neurons, settings = description.neurons, description.settings
        network = self.network(description.network)
        return LaneSpec(
            network,
            None if neurons is None else _neurons(network, neurons),
            None if settings is None else Settings.of(**settings),
            restart=description.restart if isinstance(description, BesideDescription) else True,
        )


def spec_from(
    description: SessionDescription | Mapping[str, Any],
    device: Device | None = None,
    opener: Opener | None = None,
) -> SessionSpec:
    """Open the networks and the discriminator in a session's description.

    The description may be JSON or a parsed structure.

    Raises
    ------
    StudioError
        If weights are missing or have changed, or the description is damaged.
    """
    found = description
    if not isinstance(found, SessionDescription):
        found = parse_session(description)
    opener = opener or Opener()
    first = found.lanes[0]
    network = opener.network(first.network)
    return SessionSpec(
        network=network,
        neurons=_neurons(network, first.neurons),
        settings=Settings.of(**first.settings),
        seed=found.seed,
        discriminator=opener.discriminator(found.discriminator),
        device=_device(device, found.machine),
        learn_every=found.learn_every,
        discriminator_rounds=found.discriminator_rounds,
        data=None if found.data is None else opener.place(found.data),
        beside=tuple(opener.lane(lane) for lane in found.lanes[1:]),
    )


def _neurons(network: Network, addresses: Sequence[str]) -> tuple[Neuron, ...]:
    return tuple(network.check(Neuron.parse(text)) for text in addresses)


def _device(given: Device | None, recorded: DeviceDescription) -> Device:
    """Return the recorded device, or the given one completed with recorded values."""
    if given is None:
        given = choose(recorded.device, recorded.precision, recorded.threads, recorded.plan)
    given = replace(given, arithmetic=recorded.arithmetic, confirmed=recorded.confirmed)
    threads = given.threads or recorded.threads
    if given.precision != AUTO:
        return replace(given, threads=threads)
    kept = given.with_plan(replace(recorded.plan, threads=threads))
    return replace(kept, tried=recorded.tried, asked=recorded.asked)


def _check_size(name: str, pixels: PixelSpec) -> None:
    """Check that images as large as a file says would leave memory for a network's values."""
    require(
        f"{plain(name, 100)} on images of {' x '.join(map(str, pixels.shape))} values needs",
        VALUES_PER_PIXEL * FLOAT * pixels.channels * pixels.height * pixels.width,
        free_bytes(),
        "close other programs",
    )


def _path(reference: Reference) -> Path | None:
    return None if reference.weights is None else Path(reference.weights)


def _same_weights(what: str, reference: Reference, sha256: str) -> None:
    if reference.sha256 != sha256:
        weights = f"weights of the {what}"
        if reference.weights is not None:
            weights = f"weights in {reference.weights}, for the {what},"
        raise StudioError(
            f"The {weights} are not those that were used (SHA-256 {sha256[:12]}..., "
            f"not {reference.sha256[:12]}...); restore the original file."
        )
