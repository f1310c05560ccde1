"""Every set of weights that a file may hold for a module, by the module's own names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.names import bare, is_of_optimiser, spellings
from ldam_studio.networks.weights.reading.content import walk
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.shown import shown

PROBES = 8  # names of a module that are looked for under any prefix
PREFIXES = 64  # that are tried, the most frequent ones
PLACES = 4  # largest dictionaries that are tried as they are
NAMED = 6  # keys that a message names

Entry = tuple[str, str, Tensor]
"""The dotted keys of dictionaries that lead to a tensor, up to a dot; its name; the tensor."""


@dataclass(frozen=True)
class Reading:
    """A set of weights in a file, by names that a module's ``load_state_dict`` takes.

    Attributes
    ----------
    key
        Dotted name of the set in the file; empty at its top level.
    given
        Its tensors.
    counted
        Names of those that lie in the same dictionaries as weights of the module.
    metadata
        The versions of modules that torch saved with it.
    """

    key: str
    given: Mapping[str, Tensor]
    counted: frozenset[str]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's weights by name, without other objects in its state dict (extra state)."""
    return {n: value for n, value in module.state_dict().items() if isinstance(value, Tensor)}


def named(saved: Any, source: Path | str = "The file") -> list[Entry]:
    """Return all tensors in a file's content; `StudioError` if there are too many."""
    try:
        return list(walk(saved)) if isinstance(saved, Mapping) else []
    except Unreadable as error:
        raise StudioError(f"{source} {error}; save model.state_dict() alone.") from None


def readings(saved: Any, found: Sequence[Entry], own: Mapping[str, Tensor]) -> list[Reading]:
    """Return the sets of weights among the tensors `found` that have names of `own` weights.

    They are looked for unchanged, and without each prefix that some names have; then also without
    wrappers inside of names (torch.compile, checkpointing, DistributedDataParallel). If all of the
    module's own names have a prefix, it may be wrapped while its file is not.
    """
    metadata = _metadata(saved)
    found = [entry for entry in found if not is_of_optimiser(entry[0], entry[1])] or found
    lead = _wrapping(own)
    plain = {name[len(lead) :]: name for name in own}
    each: dict[tuple[Any, ...], Reading] = {}
    for vocabulary, start in (({n: n for n in own}, ""), (plain, lead))[: 2 if lead else 1]:
        for spell in (str, bare):
            words = {spell(name): known for name, known in vocabulary.items()}
            if len(words) == len(vocabulary):
                for reading in _spelled(found, words, spell, start, metadata):
                    same = (*reading.given, *map(id, reading.given.values()))
                    each.setdefault(same, reading)
    return list(each.values())


def under(names: Sequence[str], key: str) -> list[int]:
    """Return which of some dotted names are a key or lie under it.

    The key may leave out wrappers, and what precedes it if there is no such name without that.
    """
    if not key:
        return [at for at, name in enumerate(names) if not name]
    plain = f"{bare(key)}."
    for begins in (f"{key}.", plain if plain != "." else ""):
        if begins:
            found = [at for at, name in enumerate(names) if f"{name}.".startswith(begins)]
            found = found or [at for at, n in enumerate(names) if f"{bare(n)}.".startswith(begins)]
            if found:
                return found
    return [at for at, n in enumerate(names) if plain != "." and f".{plain}" in f".{bare(n)}."]


def entries_under(found: Sequence[Entry], key: str, source: Path | str) -> list[Entry]:
    """Return the tensors under a dotted key; all of them if it is empty.

    Raises
    ------
    StudioError
        If there are none.
    """
    names = [f"{place}{name}" for place, name, _ in found]
    inside = [found[at] for at in under(names, key)] if key else [*found]
    if inside:
        return inside
    weights = [f"{place}{n}" for place, n, _ in found if not is_of_optimiser(place, n)] or names
    keys = list(dict.fromkeys(name.partition(".")[0] for name in weights))
    listed = ", ".join(shown(each) for each in keys[:NAMED]) + (", …" if len(keys) > NAMED else "")
    raise StudioError(f"{source} has no weights under {shown(key)!r}; it has {listed}.")


def _spelled(
    found: Sequence[Entry],
    words: Mapping[str, str],
    spell: Callable[[str], str],
    start: str,
    metadata: Mapping[str, Mapping[str, Any]],
) -> Iterator[Reading]:
    """Yield the readings of a file for one spelling of names.

    Parameters
    ----------
    words
        The module's own names, by how they are spelled here.
    start
        What precedes the module's names, but not those of the file.
    """
    spelled = [(spell(f"{place}{name}"), place, value) for place, name, value in found]
    places = {place: _dotted(spell(place[:-1])) for place in dict.fromkeys(e[0] for e in found)}
    for prefix in _prefixes([name for name, _, _ in spelled], words, list(places.values())):
        given: OrderedDict[str, Tensor] = OrderedDict()
        lies: dict[str, str] = {}
        for name, place, value in spelled:
            if name.startswith(prefix):
                known = _known(name[len(prefix) :], words) or start + name[len(prefix) :]
                given.setdefault(known, value)
                lies.setdefault(known, place)
        own = set(words.values())
        inside = {lies[name] for name in given if name in own}
        counted = frozenset(name for name in given if lies[name] in inside or not inside)
        at = next((lies[n] for n in given if n in own), "")
        versions = _versions(metadata.get(at, {}), spell, prefix[len(places.get(at, "")) :], start)
        yield Reading(_key(found, spell, prefix), given, counted, versions)


def _known(name: str, words: Mapping[str, str]) -> str | None:
    if name in words:
        return words[name]
    return next((words[other] for other in spellings(name) if other in words), None)


def _prefixes(names: Sequence[str], words: Mapping[str, str], places: Sequence[str]) -> list[str]:
    """Return the prefixes that precede some of the module's names, and the largest dictionaries."""
    own = list(words)
    step = max(1, len(own) // PROBES)
    probes = [*own[::step][:PROBES], *own[-1:]]
    seen: OrderedDict[str, int] = OrderedDict()
    for name in names:
        for probe in probes:
            if name.endswith(probe) and (name == probe or name[-len(probe) - 1] == "."):
                prefix = name[: len(name) - len(probe)]
                seen[prefix] = seen.get(prefix, 0) + 1
    often = sorted(seen, key=lambda prefix: -seen[prefix])[:PREFIXES]
    found = [prefix for prefix in seen if prefix in set(often)]
    sizes = {place: sum(name.startswith(place) for name in names) for place in places[:PREFIXES]}
    largest = sorted(sizes, key=lambda place: -sizes[place])[:PLACES]
    for place in largest:
        inside = [name[len(place) :] for name in names if name.startswith(place)]
        found += [place, place + _lead(inside)]
    return list(dict.fromkeys(found))


def _key(found: Sequence[Entry], spell: Callable[[str], str], prefix: str) -> str:
    """Return how the file spells a prefix, without the dot at its end."""
    for place, name, _ in found:
        if spell(f"{place}{name}").startswith(prefix):
            parts = f"{place}{name}".split(".")
            for count in range(len(parts)):
                if _dotted(spell(".".join(parts[:count]))) == prefix:
                    return ".".join(parts[:count])
    return prefix.removesuffix(".")


def _metadata(saved: Any) -> dict[str, Mapping[str, Any]]:
    """Return the versions that torch saved in the dictionaries of a file, by the keys to them."""
    found: dict[str, Mapping[str, Any]] = {}
    parts = [("", saved)]
    while parts and len(found) < PREFIXES:
        place, part = parts.pop()
        if isinstance(part, Mapping):
            versions = getattr(part, "_metadata", None)
            if isinstance(versions, Mapping):
                found[place] = versions
            if place.count(".") < PLACES:
                parts += [(f"{place}{n}.", v) for n, v in part.items() if isinstance(v, Mapping)]
    return found


def _versions(
    metadata: Mapping[str, Any], spell: Callable[[str], str], prefix: str, start: str
) -> dict[str, Any]:
    found = {}
    for name, about in metadata.items():
        spelled = _dotted(spell(name)) if isinstance(name, str) else ""
        if isinstance(about, Mapping) and spelled.startswith(prefix):
            version = about.get("version")
            plain = {"version": version} if isinstance(version, int) else {}
            found[(start + spelled[len(prefix) :]).removesuffix(".")] = plain
    return found


def _wrapping(own: Mapping[str, Tensor]) -> str:
    """Return the prefix, up to a dot, that all names of a module share; empty without one."""
    return _lead(list(own))


def _lead(names: Sequence[str]) -> str:
    first = names[0].partition(".") if names else ("", "", "")
    lead = "".join(first[:2])
    return lead if first[1] and all(name.startswith(lead) for name in names) else ""


def _dotted(name: str) -> str:
    return f"{name}." if name else ""
