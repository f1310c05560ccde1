"""`sample` and `stream`: running chains from a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from ldam_studio.engine.compute.device import MOST_THREADS, Device
from ldam_studio.engine.plans.finder import find_plan
from ldam_studio.engine.session import open_session
from ldam_studio.networks.discriminators import discriminator_for
from ldam_studio.networks.network import Network
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.scripting.course import Course, OnStep
from ldam_studio.scripting.neurons import Neurons, chosen
from ldam_studio.scripting.opening import open_network
from ldam_studio.scripting.request import (
    MOST_SEED,
    MOST_STEPS,
    check_samples,
    checked_names,
    device_for,
    session_for,
    settings_for,
    whole,
)
from ldam_studio.scripting.run import Run
from ldam_studio.scripting.telling import telling
from ldam_studio.scripting.undisturbed import undisturbed
from ldam_studio.user_presets import UserPresets


def sample(
    network: Network | str | nn.Module,
    neurons: Neurons,
    *,
    steps: int = 500,
    preset: str | None = None,
    chains: int | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "float32",
    threads: int = 1,
    progress: bool | OnStep = False,
    **settings: Any,
) -> Run:
    """Let chains draw images that excite neurons; the same as ``ldam-studio render``.

    The same call gives the same pixels on the same kind of device. After half of the steps the
    averages of chains that are not burned in begin again. Ctrl-C ends the run early and returns
    what there is.

    Parameters
    ----------
    network
        What `open_network` returned, or what it takes.
    neurons
        One or several, all in one layer: addresses (``fc3:4``, ``fc3:0-9``, ``conv2:5@mean``; with
        a minus before it, the neuron is made small), names of classes, or numbers of classes, also
        as a range, an array or a tensor.
    steps
        How many steps each chain takes, at least 1.
    preset
        A set of settings: ``paper``, ``clean``, ``explore``, or one that was saved in the window.
    chains
        The number of all chains, spread evenly over the neurons, at least one for each; None for
        one each.
    seed
        Seed of all random numbers, from 0.
    device, precision, threads
        Where it runs: ``auto``, ``cuda``, ``mps`` or ``cpu``; ``float32``, ``bfloat16``, or
        ``auto``, which measures what is fastest, so that the last bits may differ from one call to
        the next; and the number of processor threads, 0 to measure that, too.
    progress
        True for a bar on the terminal or in a notebook; or a function that is called with the
        number of steps done and of all steps, and may return False to end the run.
    settings
        Any setting of the chains by its name, such as ``temperature=0.01``, in place of the
        preset's. Those that may differ for each chain also take a sequence.

    Raises
    ------
    StudioError
        If there is no such network, neuron, preset, setting or device, a value is out of range,
        there is too little memory, or a chain's values become infinite.
    """
    steps = whole("steps", steps, 1, MOST_STEPS)
    with undisturbed():
        where = device_for(device, precision, whole("threads", threads, 0, MOST_THREADS))
        course = _course(network, neurons, steps, preset, chains, seed, where, settings)
        with telling(progress) as on_step:
            return Run(course.run(on_step))


def stream(
    network: Network | str | nn.Module,
    neurons: Neurons,
    *,
    every: int = 1,
    steps: int | None = None,
    preset: str | None = None,
    chains: int | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "float32",
    threads: int = 1,
    **settings: Any,
) -> Iterator[Run]:
    """Let chains draw, and yield a frame now and then: the `Run` so far.

    Nothing runs between two frames, and the iterator may be abandoned at any time. The chains are
    those of `sample` with the same arguments.

    Parameters
    ----------
    every
        Number of steps between two frames, at least 1; there is a last frame after the last step.
    steps
        Number of all steps; None for no end, and then averages do not begin again at half time.

    Raises
    ------
    StudioError
        As `sample` does, at once; an error of a step is raised by the iterator.
    """
    every = whole("every", every, 1, MOST_STEPS)
    steps = None if steps is None else whole("steps", steps, 1, MOST_STEPS)
    with undisturbed():
        where = device_for(device, precision, whole("threads", threads, 0, MOST_THREADS))
        course = _course(network, neurons, steps, preset, chains, seed, where, settings)
    return _frames(course, every)


def _frames(course: Course, every: int) -> Iterator[Run]:
    while not course.ended:
        with undisturbed():
            course.state.device.apply()
            for _ in range(every):
                course.step()
                if course.ended:
                    break
            run = Run(course.so_far())
        yield run


def _course(
    network: Network | str | nn.Module,
    neurons: Neurons,
    steps: int | None,
    preset: str | None,
    chains: int | None,
    seed: int,
    device: Device,
    settings: dict[str, Any],
) -> Course:
    given = checked_names(settings)
    found = None if preset is None else UserPresets().find(str(preset))
    seed = whole("seed", seed, 0, MOST_SEED)
    if chains is not None:
        chains = whole("chains", chains, 1, int(SETTINGS["chains"].maximum))
    opened = network if isinstance(network, Network) else open_network(network)
    fits = discriminator_for(opened) is not None
    spec = session_for(
        opened,
        chosen(neurons, opened),
        settings_for(opened.pixels, found, given, discriminator=fits),
        device,
        chains=chains,
        seed=seed,
    )
    if steps is not None:
        check_samples(spec, steps)
    return Course(find_plan(open_session(spec)), steps)
