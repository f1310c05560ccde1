"""The sessions that the window opens: the ten digits, the examples, and one for any network."""

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
from ldam_studio.sampler.presets import CLOUDY, find_preset, is_large
from ldam_studio.sampler.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.beside import Beside
    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.note import Layout
    from ldam_studio.networks.network import Network
    from ldam_studio.sampler.presets import Preset

SEED = 2
CLASSES = 10  # of each built-in network
# Legible after 60 steps, under three seconds even where a step takes 50 ms.
DIGITS_START = {"step_size": 0.3, "discriminator_weight": 0.75}
PLAIN_TO_SEE = 5  # dog, the class of CIFAR-10 that is easiest to recognise
CLEAN = "clean"
PHOTO_CHAINS = 4  # of a large network
ON_CPU = 1  # of a large network on a processor, where each further chain takes as long again
SMALL = 5_000_000  # weights of a network of which ten chains are quick enough
WINDOW = 150  # samples in the average, so that it follows within seconds when the images melt
FIGURE_1_WEIGHTS = (0.0, 0.2, 0.5, 0.8, 1.0)


@dataclass(frozen=True)
class Opening:
    """How to open a session, and how the window shows it.

    Parameters
    ----------
    title
        The session's name in the title of the window.
    make
        Makes the session; called on the sampler's thread, may raise `StudioError`.
    display
        How pixels become colours.
    rows
        Titles of the strip's rows if the chains form a table; empty for a plain strip.
    front
        Index of the front chain.
    hint
        A line below the images, until the user melts the chains.
    note
        A sentence for the message bar about what there is to see.
    max_rate
        Limit of steps per second; 0 for no limit.
    fallback
        What to open if this session cannot be opened.
    preset
        Settings to change once the session is open.
    published
        Names of library networks whose published weights the session needs because a file says
        so; the window asks before it downloads them.
    code, files, trusted
        The user's own code, and files that lie elsewhere, which the session needs because a picture
        says so, and the same session with leave to run and read them; the window asks before it
        opens that one.
    beside
        The network to compare with once the session is open.
    lane_titles
        Titles of the networks in further lanes, by lane number; the others are titled by their name
        and weights.
    offered
        Another session that a button beside the note opens.
    remembered
        The values that each feature remembered when the studio was closed, by the feature's name;
        see `Feature.remember`.
    kept
        The folder of the session on the shelf, if it is there; it goes on there.
    unpack
        Writes what else belongs to the session, such as its filmstrip, into its new folder on the
        shelf; may raise `StudioError`.
    layout
        How the window is divided then; None leaves it as it is.
    file
        The session file to which the session belongs, if there is one.
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
    code: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    trusted: Opening | None = None
    beside: Beside | None = None
    lane_titles: Mapping[int, str] = field(default_factory=dict)
    offered: Opening | None = None
    remembered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kept: Path | None = None
    unpack: Callable[[Path], object] | None = None
    layout: Layout | None = None
    file: Path | None = None


def _digits(
    device: Device, data: Path | None, neurons: str, repeat: int, **settings: Any
) -> SessionState:
    return open_session(
        SessionSpec(
            network=open_network("lenet"),
            neurons=tuple(parse_neurons(neurons)) * repeat,
            settings=Settings.of(**settings),
            seed=SEED,
            discriminator=open_discriminator(MNIST_DISCRIMINATOR),
            device=device,
            data=data,
        )
    )


def start(device: Device, data: Path | None = None) -> Opening:
    """Return the session of the first start: ten chains, one for each class of LeNet.

    Parameters
    ----------
    device
        The device on which the session runs.
    data
        Folder of the data sets; None searches the usual folders.
    """
    return Opening(
        title="Ten digits",
        make=lambda: _made(network_spec(open_network("lenet"), device, data)),
        hint="Press K to melt",
    )


def _made(spec: SessionSpec) -> SessionState:
    """Open a session with the discriminator of its images, if there is one."""
    name = discriminator_for(spec.network)
    model = None if name is None else open_discriminator(name)
    return open_session(replace(spec, discriminator=model))


def _photo_chains(network: Network, device: Device) -> int:
    """Return how many chains a network for photographs opens with.

    A small one with few classes shows all of them, others so few that a class which is chosen can
    be recognised within seconds.
    """
    classes = network.class_layer.neurons
    weights = sum(weight.numel() for weight in network.module.parameters())
    if PHOTO_CHAINS < classes <= CLASSES and weights < SMALL:
        return classes
    return ON_CPU if device.name == "cpu" else PHOTO_CHAINS


def network_spec(network: Network, device: Device, data: Path | None = None) -> SessionSpec:
    """Return a session with sensible settings for any network, without its discriminator.

    - Built-in networks show their classes, with their discriminator.
    - Networks for photographs, also those of CIFAR-10's size, show their first classes with the
      preset Clean, which makes such images legible.
    - All others have the default settings.
    """
    pixels = network.pixels
    small, large = discriminator_for(network) == CIFAR_DISCRIMINATOR, is_large(pixels.shape)
    values: dict[str, Any] = {}
    if network.name in NETWORKS:
        chains, values = CLASSES, dict(DIGITS_START)
        if pixels.channels > 1:
            values = {**CLOUDY} | find_preset(CLEAN).values(pixels.shape, discriminator=True)
        values |= {"l2": 0.0, "clamp": True, "window": WINDOW}
    else:
        chains = _photo_chains(network, device) if large else int(SETTINGS["chains"].default)
        values = dict(CLOUDY) if small else {}
        if small or large:
            values |= find_preset(CLEAN).values(pixels.shape, discriminator=False)
    return SessionSpec(
        network=network,
        neurons=network.default_neurons(chains),
        settings=Settings.of(**values),
        seed=SEED,
        device=device,
        data=data,
    )


def network_opening(
    network: Network, device: Device, data: Path | None = None, spec: SessionSpec | None = None
) -> Opening:
    """Return how to open a network's session.

    If there is a discriminator for its images, the session has it, with weight 0 unless the
    network is a built-in one. A network for other images than photographs is displayed as signed.

    Parameters
    ----------
    spec
        The session, without its discriminator; None for that of `network_spec`.
    """
    shipped, pixels = network.name in NETWORKS, network.pixels
    photo = discriminator_for(network) == CIFAR_DISCRIMINATOR or is_large(pixels.shape)
    front = PLAIN_TO_SEE if shipped and pixels.channels > 1 and spec is None else 0
    asked = spec or network_spec(network, device, data)
    return Opening(
        title=short_name(network.name),
        make=lambda: _made(asked),
        display=Display(IMAGE if shipped or photo else SIGNED),
        front=front,
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
        note="Each row has its own discriminator weight w. At w = 0 only the neuron counts, so the "
        "images are noise; at w = 1 only the discriminator counts, so any digit can appear; in "
        "between, each class neuron shows its own digit.",
    )


def melt_and_collapse(device: Device, data: Path | None = None) -> Opening:
    """Return ten chains of one class, which the user melts and which settle in other images."""
    return Opening(
        title="Melt and collapse",
        make=lambda: _digits(
            device, data, "fc3:4", 10, l2=0.0, discriminator_weight=0.8, clamp=True, window=WINDOW
        ),
        hint="Press K to melt",
        note="These are ten chains of the same class. Wait until they stand still, then press K: "
        "they are heated until nothing is left of them, and each chain collapses into another 4.",
    )


def filter_validation(device: Device, data: Path | None = None) -> Opening:
    """Return the channels of the first layer, whose average with L2 must equal their filter."""
    return Opening(
        title="Filter validation",
        make=lambda: _digits(device, data, "conv1:0-5", 1, l2=0.5, discriminator_weight=0.0),
        display=Display(SIGNED),
        note="These are the six channels of the first convolution. Inside the outline, the running "
        "average becomes the filter itself; outside it there is only noise, which averages out.",
    )


EXAMPLES: tuple[tuple[str, Callable[[Device, Path | None], Opening]], ...] = (
    ("Figure 1: five weights, ten classes", figure_1),
    ("Melt and collapse", melt_and_collapse),
    ("Filter validation", filter_validation),
)
