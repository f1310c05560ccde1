"""`replay`: running an exported picture's session again."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path

import msgspec
from torch import Tensor

from ldam_studio.engine.advance import StepInfo
from ldam_studio.engine.description import Reference
from ldam_studio.errors import StudioError
from ldam_studio.export.formats.table import read
from ldam_studio.export.links import FIGURES, is_link, link_in, no_folder, unpacked
from ldam_studio.export.locate import Nearby
from ldam_studio.export.recipe import Recipe, pixel_hash
from ldam_studio.export.replay import differences
from ldam_studio.export.rerun import Rerun
from ldam_studio.export.shown import picture_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.in_memory import is_in_memory
from ldam_studio.scripting.course import OnStep, Sampled
from ldam_studio.scripting.run import Replayed
from ldam_studio.scripting.telling import telling
from ldam_studio.scripting.undisturbed import undisturbed

SAME = {
    "name": "its class",
    "sha256": "its weights",
    "pixels": "the images that it takes",
    "class_layer": "the layer of its classes",
    "behaviour": "how it behaves in forward passes",
}
"""What a recipe says of a network by which one in memory is known to be the same."""


def replay(
    path: str | os.PathLike[str],
    *,
    network: Network | str | None = None,
    weights: str | os.PathLike[str] | None = None,
    download: bool = False,
    progress: bool | OnStep = False,
) -> Replayed:
    """Run the session of an exported picture again, as ``ldam-studio replay`` does.

    Parameters
    ----------
    path
        A picture that the studio, ``render`` or `Run.save` wrote, a figure from the window, or a
        link (``ldam:…``).
    network
        For a picture of a module in memory: the same module, opened by `open_network` in the same
        way. For one of your own code: its name, ``FILE.py:FUNCTION``, which allows that it is run.
    weights
        The network's file of weights, if it has moved or the picture is not yours.
    download
        Whether published weights that are missing may be downloaded.
    progress
        As for `sample`.

    Returns
    -------
    The run, whose `Replayed.identical` says whether the pixels are the same. Its `activation` has
    the steps that were run again, without those before a restart, which have no effect, and those
    with another number of chains than at the end.

    Raises
    ------
    StudioError
        If the picture has no recipe, was changed, or shows many neurons on a page; if the link is
        incomplete; if what they name is missing, has changed, or was not allowed; or if `progress`
        ended it.
    """
    if not isinstance(network, Network | str | None):
        raise StudioError(
            "network= is what open_network returned, or the name of your own code, "
            f"FILE.py:FUNCTION; open the {type(network).__name__} with open_network first."
        )
    recipe, folder = _recipe_of(os.fspath(path))
    if recipe.said.sheet is not None:
        raise StudioError(
            f"{path} is a page of many neurons, each drawn in a session of its own; replay the "
            "pictures in its folder, or use ldam-studio replay."
        )
    given = [] if weights is None else [Path(weights)]
    code = [network] if isinstance(network, str) else []
    memory = network if isinstance(network, Network) else None
    with undisturbed(), telling(progress, "replaying") as on_step:
        nearby = _WithMemory(memory, folder, given, code, allow_download=download)
        again, activation = Rerun(recipe, nearby), list[Tensor]()

        def take(info: StepInfo) -> None:
            if info.lanes:
                activation.append(info.lanes[0].activation)

        if not again.run_to(recipe.step, lambda *steps: on_step(*steps) is not False, take):
            raise StudioError("The replay was ended before its last step; nothing was compared.")
        state = again.state
        picture = picture_of(state, recipe.shown)
        return Replayed(
            Sampled(state, _of_last(activation, len(state.lane.neurons)), 0.0),
            identical=pixel_hash(picture) == recipe.said.pixels,
            differences=differences(recipe, state),
        )


def _recipe_of(path: str) -> tuple[Recipe, Path]:
    """Return the recipe of a picture, a figure or a link, and the folder where it lies."""
    if is_link(path):
        return unpacked(path), no_folder()
    place = Path(path)
    if place.suffix.lower() in FIGURES:
        return unpacked(link_in(place)), place.parent
    return read(place)[0], place.parent


def _of_last(rows: list[Tensor], chains: int) -> list[Tensor]:
    """Return the rows at the end that are of so many chains; earlier ones may have others."""
    count = sum(1 for _ in takewhile(lambda row: len(row) == chains, reversed(rows)))
    return rows[len(rows) - count :]


class _WithMemory(Nearby):
    """Opens the networks of a recipe, with one that is in memory already."""

    def __init__(
        self,
        memory: Network | None,
        folder: Path,
        given: list[Path],
        code: list[str],
        *,
        allow_download: bool,
    ) -> None:
        super().__init__(folder, given, code, allow_download=allow_download)
        self._memory = memory

    def network(self, reference: Reference) -> Network:
        """Return the network in memory for one that was; raises as `Nearby.network` does."""
        if self._memory is None or not is_in_memory(reference.name):
            return super().network(reference)
        # As it would be written, with lists for tuples.
        written = msgspec.json.encode(self._memory.reference)
        own = msgspec.json.decode(written, type=Reference)
        for name, words in SAME.items():
            if getattr(reference, name) != getattr(own, name):
                raise StudioError(
                    f"The network given is not the one that was used: it differs in {words}; "
                    "make and open it in the same way."
                )
        return self._memory
