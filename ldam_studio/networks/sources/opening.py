"""Opening networks: building the module, loading its weights, and checking both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import enough_for, is_lack_of_memory
from ldam_studio.networks.anatomy.failing import FailsOnImage, what_to_do
from ldam_studio.networks.behaviour.behaviour import Behaviour
from ldam_studio.networks.behaviour.randomness import seeded
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import Matching, Provenance
from ldam_studio.networks.sources.classes import name_classes
from ldam_studio.networks.sources.download import fetch
from ldam_studio.networks.sources.families import find_source, runs_code, short_name
from ldam_studio.networks.sources.family import Source
from ldam_studio.networks.sources.in_memory import name_of, source_of
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.sources.own_module import (
    at_rest,
    check_batches,
    declared_pixels,
    in_float32,
    initialise,
    unknown_input,
)
from ldam_studio.networks.sources.randomise import randomise
from ldam_studio.networks.sources.wrappers import unwrapped
from ldam_studio.networks.told import told
from ldam_studio.networks.weights.fingerprint import fingerprint
from ldam_studio.networks.weights.notes import about
from ldam_studio.networks.weights.places import file_at
from ldam_studio.networks.weights.state_dicts import Match, classes_in, renamed
from ldam_studio.networks.weights.weights import check_finite, check_module, load_into, read_saved
from ldam_studio.progress import tell


@dataclass(frozen=True)
class _Loaded:
    """A module with its weights.

    Attributes
    ----------
    sha256
        SHA-256 of the weights.
    match
        How the user's file fits; None without one.
    notes
        Sentences for the user.
    """

    module: nn.Module
    sha256: str
    match: Match | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Saved:
    """The content of a file of weights, and the file's SHA-256."""

    origin: Path
    content: dict[str, Any]
    sha256: str


def open_network(name: str, weights: Path | None = None, options: Options | None = None) -> Network:
    """Open a network.

    Parameters
    ----------
    name
        A name of one of the `families.FAMILIES`. If it names the user's own code, that code is run.
    weights
        Their file, or the folder that it is alone in, see `places.file_at`. None means the weights
        that are shipped or published, or those of the module that own code returned.

    Raises
    ------
    StudioError
        If there is no such network, its weights cannot be read or do not fit, its input is not
        known, or there is too little memory.
    """
    options = options or Options()
    with _enough_for(name):
        return _open(_source(name, options), name, weights, options)


def open_module(
    module: nn.Module, weights: Path | None = None, options: Options | None = None
) -> Network:
    """Open a copy of a module in memory, which itself stays as it is; see `open_network`.

    Raises
    ------
    StudioError
        If it cannot be copied, and as `open_network` does.
    """
    name = name_of(module)
    with _enough_for(name):
        return _open(source_of(module), name, weights, options or Options())


def _enough_for(name: str) -> AbstractContextManager[None]:
    return enough_for(f"The network {name}", "close other programs, or take a smaller network")


def _open(source: Source, name: str, weights: Path | None, options: Options) -> Network:
    weights = None if weights is None else file_at(weights)
    loaded = _with_weights(source, name, weights, options)
    module, match = loaded.module, loaded.match
    pixels = _input_of(source, module, options)
    if pixels is None:
        raise unknown_input(name)
    key = options.weights_key
    sets = () if match is None or not match.others else (match.key, *match.others)
    if match is not None and key is None and sets:
        key = match.key
    missing = None if match is None else match.missing
    provenance = Provenance(
        loaded.sha256,
        # A person's code may change the current folder while another network is opened.
        None if weights is None else weights.absolute(),
        given_pixels=options.pixels,
        given_labels=options.labels if isinstance(options.labels, Path) else None,
        partial=options.partial and weights is not None,
        weights_key=None if weights is None else key,
        sets=sets,
        untrained=options.untrained and weights is None,
        random_seed=options.random_seed if weights is None else None,
        matching=Matching(source.new_name, source.spare, options.partial, missing, key),
        notes=loaded.notes,
    )
    try:
        network = Network(name, module, pixels.from_0_to_1(), provenance=provenance)
    except FailsOnImage as error:
        what = what_to_do(module, at_rest(pixels), error.place)
        raise StudioError(f"{error.what}; {what}.") from None
    network.behave(_behaviour(network, options))
    notes = (*loaded.notes, *network.behaviour.notes)
    if runs_code(name) and not network.behaviour.apart:
        notes = (*notes, *network.listing.notes)
    network.provenance = replace(provenance, notes=notes)
    if runs_code(name):
        with told("trying two images at once"):
            check_batches(network)
    name_classes(network, options.labels, options.class_layer, source.labels)
    if not network.listing.entries and options.class_layer is None:
        network.provenance = replace(network.provenance, notes=(*notes, _without_result(network)))
    return network


def _without_result(network: Network) -> str:
    """Return a note on a network that returns nothing that could be the classes."""
    return (
        "What it returns was not used as classes, because it has no part for each image, as a list "
        f"of detections; those of {network.class_layer.name} were; --class-layer LAYER "
        "chooses another layer."
    )


def _behaviour(network: Network, options: Options) -> Behaviour:
    found = network.behaviour
    if options.behaviour is not None:
        return found.as_recorded(options.behaviour)
    return replace(found, steady=options.steady and found.random)


def _source(name: str, options: Options) -> Source:
    source = find_source(name)
    if source.takes_other_pixels or options.pixels is None or source.pixels is None:
        return source
    if replace(options.pixels, shown=()) != source.pixels:
        raise StudioError(
            f"{name} takes images of {' x '.join(map(str, source.pixels.shape))} with a fixed mean "
            "and std; leave out --input-size, --mean, --std and related flags."
        )
    return source


def _with_weights(source: Source, name: str, weights: Path | None, options: Options) -> _Loaded:
    """Build the module and load its weights."""
    # Before the generators are seeded, because running sessions that need them wait meanwhile.
    saved = _saved(source, weights, options)
    # Weights that stay random must be the same every time, or sessions could not be replayed.
    with seeded(options.random_seed or 0):
        if saved is None:
            return _only_built(source, name, options)
        return _with_saved(source, name, weights, saved, options)


def _saved(source: Source, weights: Path | None, options: Options) -> _Saved | None:
    """Read the file of the weights; None if they are those that the module is built with."""
    origin, published = weights, source.published
    if origin is None:
        if published is None or options.builds_only:
            return None
        origin = published.here or fetch(published.url, options.on_bytes, file=published.file)
    tell(f"reading {origin.name}")
    return _Saved(origin, *read_saved(origin))


def _only_built(source: Source, name: str, options: Options) -> _Loaded:
    module, notes, names = _build(source, name, options)
    if options.random_seed is not None and runs_code(name):
        # The code may have loaded trained ones.
        randomise(module, options.random_seed)
    check_module(module, name, _at_rest(source, module, options))
    return _Loaded(module, fingerprint(module, names), notes=notes)


def _with_saved(
    source: Source, name: str, weights: Path | None, saved: _Saved, options: Options
) -> _Loaded:
    origin, content, sha256 = saved.origin, saved.content, saved.sha256
    if weights is None and source.build_published is not None:
        return _Loaded(_built_by_library(source.build_published, content, name, origin), sha256)
    if source.new_name is not None:
        content = renamed(content, source.new_name)
    module, notes, _ = _build(source, name, options)
    key = None if weights is None else options.weights_key
    if source.classes:
        # A fine-tuned network may differ from the published one in its number of classes.
        classes = classes_in(content, module, source.classes, key, origin)
        module = module if classes is None else source.build(classes)
    taken_for = f"{origin}, taken for {name},"
    match = load_into(module, content, taken_for, options.partial, source.spare, key)
    if runs_code(name):
        check_module(module, name, _at_rest(source, module, options))  # also what the file lacks
    if weights is None:
        return _Loaded(module, sha256, notes=notes)
    return _Loaded(module, sha256, match, (*notes, *about(match, weights, chosen=key is not None)))


def _input_of(source: Source, module: nn.Module, options: Options) -> PixelSpec | None:
    """Return a network's input: the user's description, else the source's, else the code's."""
    return options.pixels or source.pixels or declared_pixels(module)


def _at_rest(source: Source, module: nn.Module, options: Options) -> Tensor | None:
    pixels = _input_of(source, module, options)
    return None if pixels is None else at_rest(pixels)


def _build(
    source: Source, name: str, options: Options
) -> tuple[nn.Module, tuple[str, ...], tuple[str, ...] | None]:
    """Build a module; the user's own one is unwrapped, and converted to float32 if necessary.

    Returns
    -------
    The module, notes, and the names of its weights as they were in the user's code.
    """
    tell(f"building {short_name(name)}")
    module = source.build(None)
    if not runs_code(name):
        return module, (), None
    names = tuple(module.state_dict())
    module = unwrapped(module)
    pixels = _input_of(source, module, options)
    initialise(module, name, pixels)
    return module, (*source.notes, *in_float32(module, pixels)), names


def _built_by_library(
    build: Callable[[dict[str, Any]], nn.Module], saved: dict[str, Any], name: str, origin: Path
) -> nn.Module:
    """Let a library build its own network with its published weights."""
    try:
        module = build(saved)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"The published weights {origin} do not fit {name} ({in_short(error)}); give a weights "
            "file (--weights)."
        ) from None
    check_finite(module.state_dict(), origin)
    return module
