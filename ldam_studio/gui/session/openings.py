"""The sessions that the window opens: the first one, the examples, and one for any network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.networks.discriminators import (
    CIFAR_DISCRIMINATOR,
    MNIST_DISCRIMINATOR,
    discriminator_for,
    open_discriminator,
)
from ldam_studio.networks.neurons import parse_neurons
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import CLOUDY, find_preset, is_photograph
from ldam_studio.sampler.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.beside import Beside
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.state import SessionState
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.presets import Preset

SEED = 2
CLASSES = 10  # of each built-in network
# Legible after 60 steps, under three seconds even where a step takes 50 ms.
DIGITS_START = {"step_size": 0.3, "discriminator_weight": 0.75}
PLAIN_TO_SEE = 5  # of CIFAR-10's classes, the one that anybody recognises first: dogs
PHOTO_CHAINS, CLEAN = 4, "clean"
WINDOW = 150  # samples: the average follows within seconds when the pictures melt
FIGURE_1_WEIGHTS = (0.0, 0.2, 0.5, 0.8, 1.0)


@dataclass(frozen=True)
class Opening:
    """How to open a session, and how the window shows it.

    Parameters
    ----------
    title
        What it is called in the window's title.
    make
        Makes the session; called on the sampler's thread, may raise `StudioError`.
    rows
        Titles of the strip's rows where the chains form a table; empty for a plain strip.
    hint
        One line under the images until the person has melted something.
    note
        What there is to see, for the message bar.
    max_rate
        Most steps per second; 0 is as fast as it goes.
    fallback
        What is opened if this cannot be.
    preset
        Settings to change once it is open.
    published
        The networks of libraries whose published weights it needs, because a file says so: they
        are not downloaded unasked.
    beside
        What to compare with once it is open.
    lane_titles
        What the networks beside the first are called, by the number of their lane, where that is
        not their name and weights.
    offered
        What the note offers to open in its place: the session before, which is not opened unasked.
    remembered
        What each feature noted about it when the studio was closed, by the feature's name.
    """

    title: str
    make: Callable[[], SessionState]
    display: Display = field(default_factory=Display)
    rows: tuple[str, ...] = ()
    front: int = 0
    hint: str = ""
    note: str = ""
    max_rate: int = 0
    fallback: Opening | None = None
    preset: Preset | None = None
    published: tuple[str, ...] = ()
    beside: Beside | None = None
    lane_titles: Mapping[int, str] = field(default_factory=dict)
    offered: Opening | None = None
    remembered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _digits(
    device: Device,
    data: Path | None,
    neurons: str,
    repeat: int,
    network: Network | None = None,
    **settings: Any,
) -> SessionState:
    network = network or open_network("lenet")
    chosen = tuple(parse_neurons(neurons)) if neurons else network.default_neurons(CLASSES)
    return open_session(
        SessionSpec(
            network=network,
            neurons=chosen * repeat,
            settings=Settings.of(**settings),
            seed=SEED,
            discriminator=open_discriminator(discriminator_for(network) or MNIST_DISCRIMINATOR),
            device=device,
            data=data,
        )
    )


def start(device: Device, data: Path | None = None, network: Network | None = None) -> Opening:
    """Return ten digits at once, drawn by LeNet's class neurons and a discriminator.

    `network` is another built-in network to look at in place of LeNet.
    """
    own: Mapping[str, Any] = DIGITS_START
    front = 0
    if network is not None and network.pixels.channels > 1:
        own = {**CLOUDY} | find_preset(CLEAN).values(network.pixels.shape, discriminator=True)
        front = PLAIN_TO_SEE
    return Opening(
        title="Ten digits",
        make=lambda: _digits(
            device,
            data,
            "",
            1,
            network,
            **{**own, "l2": 0.0, "clamp": True, "window": WINDOW},
        ),
        front=front,
        hint="Press K to melt",
    )


def network_opening(network: Network, device: Device, data: Path | None = None) -> Opening:
    """Return a sensible start for any network.

    Built-in networks open as the program does, with their discriminator. Networks for photographs,
    be they of CIFAR-10's size, show the first classes with what makes such pictures legible (the
    preset Clean). Others open with the defaults; unclamped, they are shown as signed. A
    discriminator is at hand, its weight 0, where there is one for images like the network's.
    """
    if network.name in NETWORKS:
        return replace(start(device, data, network), title=short_name(network.name))
    pixels = network.pixels
    name = discriminator_for(network)
    small, large = name == CIFAR_DISCRIMINATOR, is_photograph(pixels.shape)
    photo = small or large
    values: dict[str, Any] = dict(CLOUDY) if small else {}
    if photo:
        values |= find_preset(CLEAN).values(pixels.shape, discriminator=False)
    chains = PHOTO_CHAINS if large else int(SETTINGS["chains"].default)
    spec = SessionSpec(
        network=network,
        neurons=network.default_neurons(chains),
        settings=Settings.of(**values),
        seed=SEED,
        device=device,
        data=data,
    )

    def make() -> SessionState:
        model = None if name is None else open_discriminator(name)
        return open_session(replace(spec, discriminator=model))

    return Opening(
        title=short_name(network.name),
        make=make,
        display=Display(IMAGE if photo else SIGNED),
        hint="Press K to melt",
    )


def figure_1(device: Device, data: Path | None = None) -> Opening:
    """Return the paper's Figure 1: five discriminator weights, ten classes, in one batch."""
    weights = tuple(w for w in FIGURE_1_WEIGHTS for _ in range(10))
    return Opening(
        title="Figure 1",
        make=lambda: _digits(
            device,
            data,
            "fc3:0-9",
            len(FIGURE_1_WEIGHTS),
            l2=0.0,
            discriminator_weight=weights,
            clamp=True,
        ),
        rows=tuple(f"w = {w:g}" for w in FIGURE_1_WEIGHTS),
        front=33,
        note="Rows: discriminator weight w. The neuron alone (w = 0) is content with noise, the "
        "discriminator alone (w = 1) with any digit; between them each class draws its own.",
    )


def melt_and_collapse(device: Device, data: Path | None = None) -> Opening:
    """Return ten chains of one class, to melt and to see collapse into other images of it."""
    return Opening(
        title="Melt and collapse",
        make=lambda: _digits(
            device, data, "fc3:4", 10, l2=0.0, discriminator_weight=0.8, clamp=True, window=WINDOW
        ),
        hint="Press K to melt",
        note="Ten chains of the same class. Wait until they stand still, press K: the temperature "
        "is 100 times as high for 60 steps, and each chain collapses into another 4.",
    )


def filter_validation(device: Device, data: Path | None = None) -> Opening:
    """Return first-layer channels, whose regularised average is known: the filter itself."""
    return Opening(
        title="Filter validation",
        make=lambda: _digits(device, data, "conv1:0-5", 1, l2=0.5, discriminator_weight=0.0),
        display=Display(SIGNED),
        note="First convolution, six channels. Inside the outline the running average becomes the "
        "filter itself; outside it there is noise alone, which the average takes away.",
    )


EXAMPLES: tuple[tuple[str, Callable[[Device, Path | None], Opening]], ...] = (
    ("Figure 1: five weights, ten classes", figure_1),
    ("Melt and collapse", melt_and_collapse),
    ("Filter validation", filter_validation),
)
