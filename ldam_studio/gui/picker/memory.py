"""Remembers each network's recent and starred neurons. No Qt in here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.files import read_state, set_aside, write_state
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.networks.network import Network

MOST_RECENT = 30
MOST_NETWORKS = 50  # the networks that were used longest ago are dropped first
VERSION = 1


@dataclass
class _Kept:
    recent: list[Neuron] = field(default_factory=list)
    starred: list[Neuron] = field(default_factory=list)


class NeuronMemory:
    """Remembers neurons by the name of their network, so that they are kept for other weights.

    Parameters
    ----------
    path
        A file, read by the constructor and written by `save`; what cannot be read is set aside.
        None remembers neurons only until the program ends.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: dict[str, _Kept] = {}
        self._changed = False
        if path is not None and path.exists():
            self._read(path)

    def recent(self, network: Network) -> tuple[Neuron, ...]:
        """Return the neurons that were shown and still exist, the latest first."""
        return _present(network, self._of(network).recent)

    def starred(self, network: Network) -> tuple[Neuron, ...]:
        """Return the starred neurons that still exist, the latest last."""
        return _present(network, self._of(network).starred)

    def note(self, network: Network, neuron: Neuron) -> None:
        """Remember that a neuron was shown."""
        kept = self._of(network)
        kept.recent[:] = [neuron, *(n for n in kept.recent if n != neuron)][:MOST_RECENT]
        self._changed = True

    def toggle(self, network: Network, neuron: Neuron) -> bool:
        """Star a neuron, or remove its star; return whether it has one now."""
        starred = self._of(network).starred
        on = neuron not in starred
        if on:
            starred.append(neuron)
        else:
            starred.remove(neuron)
        self._changed = True
        return on

    def save(self) -> None:
        """Write the file if anything changed.

        Raises
        ------
        StudioError
            If the file cannot be written.
        """
        if self._path is None or not self._changed:
            return
        networks = {
            name: {"recent": _texts(kept.recent), "starred": _texts(kept.starred)}
            for name, kept in list(self._kept.items())[-MOST_NETWORKS:]
            if kept.recent or kept.starred
        }
        found = {"version": VERSION, "networks": networks}
        write_state(self._path, json.dumps(found, indent=1).encode())
        self._changed = False

    def _of(self, network: Network) -> _Kept:
        kept = self._kept.pop(network.name, None) or _Kept()
        self._kept[network.name] = kept  # moved to the end, because it was used last
        return kept

    def _read(self, path: Path) -> None:
        try:
            found = json.loads(read_state(path))
            if found["version"] != VERSION:
                raise ValueError("another version of the program wrote it")
            self._kept = {
                str(name): _Kept(_neurons(kept["recent"]), _neurons(kept["starred"]))
                for name, kept in found["networks"].items()
            }
        except (StudioError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            set_aside(path)


def _texts(neurons: list[Neuron]) -> list[str]:
    return [str(neuron) for neuron in neurons]


def _neurons(texts: list[str]) -> list[Neuron]:
    return [Neuron.parse(text) for text in texts]


def _present(network: Network, neurons: list[Neuron]) -> tuple[Neuron, ...]:
    found = []
    for neuron in neurons:
        try:
            found.append(network.check(neuron))
        except StudioError:
            continue  # of another version of the network
    return tuple(found)
