"""`Run`: what chains have drawn, as arrays and pictures."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldam_studio.engine import field_checks, silent_neurons
from ldam_studio.engine.picture import Floats
from ldam_studio.export.exporting import export
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.files import check_target, write_bytes
from ldam_studio.scripting import showing
from ldam_studio.scripting.argument_names import in_python
from ldam_studio.scripting.arrays import (
    activation_of,
    archive_of,
    average_of,
    has_average,
    samples_of,
)
from ldam_studio.scripting.course import Sampled

ARRAYS = ".npz"


class Run:
    """What chains have drawn so far.

    All arrays are the caller's own copies, in pixel units: 0 is black and 1 is white. In a notebook
    a run shows itself: its raw samples, their averages and the settings. Runs are made by
    `sample`, `stream` and `replay`.
    """

    def __init__(self, sampled: Sampled) -> None:
        self._sampled = sampled
        self._lane = sampled.state.lane

    def __repr__(self) -> str:
        """Return network, neurons, chains and steps in one line."""
        return f"Run({showing.title(self)})"

    @property
    def network(self) -> str:
        """The network's name; it begins with ``memory:`` for a module in memory."""
        return self._lane.network.name

    @property
    def neurons(self) -> tuple[str, ...]:
        """The address of each chain's neuron, such as ``fc3:4``."""
        return tuple(str(neuron) for neuron in self._lane.neurons)

    @property
    def labels(self) -> tuple[str, ...]:
        """The class of each chain's neuron, or else its address."""
        return tuple(self._lane.network.label(neuron) for neuron in self._lane.neurons)

    @property
    def steps(self) -> int:
        """The number of steps that the chains have taken."""
        return self._sampled.state.step

    @property
    def seed(self) -> int:
        """The seed of all random numbers."""
        return self._sampled.state.seed

    @property
    def settings(self) -> dict[str, Any]:
        """The value of every setting, by its name."""
        return asdict(self._lane.settings)

    @property
    def interrupted(self) -> bool:
        """Whether the run ended early: by Ctrl-C, or by the function for its progress."""
        return self._sampled.interrupted

    @cached_property
    def samples(self) -> Floats:
        """The present image of each chain, (chains, C, H, W)."""
        return samples_of(self._lane)

    @cached_property
    def average(self) -> Floats:
        """The average of each chain's samples, (chains, C, H, W); NaN for a chain without any."""
        found = average_of(self._lane)
        found[(self._lane.shown_average().count == 0).cpu().numpy()] = np.nan
        return found

    @cached_property
    def activation(self) -> Floats:
        """What is made large, for the image before each step, (steps, chains).

        It is the neuron's activation, or the value of the setting `objective`. A run of a `stream`
        has the steps since the run before, one that was replayed those that were run again.
        """
        return activation_of(self._sampled)

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Whether each chain is burned in and steady, so that its average is one, (chains,)."""
        progress = self._lane.progress
        return np.array((progress.done & ~progress.settling).cpu().numpy())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences: how the network was opened, silent neurons, whether chains agree."""
        lane = self._lane
        found = [in_python(note) for note in lane.network.provenance.notes]
        found += [silent_neurons.sentence(lane.waking, lane.neurons), field_checks.sentence(lane)]
        several = [each for each in self._sampled.agreement if len(each.chains) > 1]
        found += [f"{each.neuron}: {each.verdict.sentence}" for each in several]
        return tuple(filter(None, found))

    @property
    def recipe(self) -> dict[str, Any]:
        """What is needed to draw the same pixels again, in JSON's types.

        A module in memory has no file, so that its recipe has an entry ``cannot_replay`` that says
        so: `replay` then needs the module, as ``network=``.
        """
        state, shown = self._sampled.state, self._shown()
        recipe = Recipe.of(state, shown, picture_of(state, shown))
        found: dict[str, Any] = json.loads(recipe.text)
        return found

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        what: str | None = None,
        display: str = "signed",
        zoom: int = 1,
    ) -> tuple[Path, ...]:
        """Write a picture with its recipe, or all arrays.

        A picture can be opened in the studio and replayed. That of a module in memory cannot be
        opened, and is replayed only where the module is given again; its recipe says so.

        Parameters
        ----------
        path
            The file. ``.npz`` gets the arrays of ``render --arrays``, among them `x`, `average` (0
            without a sample) and `activation`; other suffixes are those of pictures: ``.png``.
        what
            For a picture: ``averages`` or ``strip``, the raw samples. None for averages if there
            are some.
        display, zoom
            For a picture: ``signed``, with mid-grey for the network's rest colour, or ``image``;
            and how many times each pixel is repeated in both directions.

        Returns
        -------
        The files: `path` first, and a session file or weights that the recipe needs beside it.

        Raises
        ------
        StudioError
            If a value is unknown, there is no average yet, or a file cannot be written.
        """
        target = Path(path)
        check_target(target)
        if target.suffix.lower() == ARRAYS:
            write_bytes(target, archive_of(self._sampled))
            return (target,)
        shown = Shown(what or self._shown().what, display=display, zoom=zoom)
        written = export(self._sampled.state, shown, target)
        beside = () if written.sidecar is None else (written.sidecar,)
        return (written.path, *beside, *written.weights)

    def _shown(self) -> Shown:
        return Shown("averages" if has_average(self._sampled.state) else "strip")

    def _repr_png_(self) -> bytes:
        """Return a picture for notebooks: the raw samples, and their averages below."""
        return showing.png(self)

    def _repr_html_(self) -> str:
        """Return raw samples, averages and settings for notebooks."""
        return showing.html(self)


class Replayed(Run):
    """A run that was made again from a recipe.

    Attributes
    ----------
    identical
        Whether its picture has the same pixels as the one that was exported.
    differences
        What has changed since the export and affects the last bits, such as the version of torch.
    """

    def __init__(self, sampled: Sampled, *, identical: bool, differences: tuple[str, ...]) -> None:
        super().__init__(sampled)
        self.identical, self.differences = identical, differences
