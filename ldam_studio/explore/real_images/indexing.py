"""Measuring how all units of some layers respond to real images, each image in one pass."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images import shards
from ldam_studio.explore.real_images.catalogue import (
    MOST_NAMED,
    NOTHING,
    Catalogue,
    Report,
    Unread,
    read_catalogue,
)
from ldam_studio.explore.real_images.likeness import signatures
from ldam_studio.explore.real_images.pictures import as_pixels, check_channels, stacked
from ldam_studio.explore.real_images.responses import Responder, batch_of, bytes_for
from ldam_studio.explore.real_images.sources import Listed, Read, Source, Spec, source_of
from ldam_studio.files import remove_temporaries
from ldam_studio.networks.network import Network
from ldam_studio.progress import tell
from ldam_studio.training.pictures import ANIMATED, CONVERTED, Bytes, NotAPictureError

KEEP_S = 10.0
"""Seconds of work that are lost at most when indexing is cut off."""
MOST_WAITING = 2**26
"""Bytes of responses that wait to be written."""
OLD_S = 3600.0
"""Seconds after which a file that was never finished is removed."""
AHEAD = 3
"""Batches of images that are read while the network looks at another."""


def build(network: Network, spec: Spec, layers: Sequence[str], limit: int = 0) -> Report:
    """Measure the responses to a source's images that are not known yet, and keep them.

    What is done is said with `progress.tell`. If it is stopped, what was measured is kept, and the
    next call goes on from there.

    Parameters
    ----------
    layers
        Names of the layers; the network runs once over each image for all of them.
    limit
        Largest number of images, which are then evenly spaced among all; 0 for all.

    Raises
    ------
    StudioError
        If there are no images, none can be read, the network takes no such images, or the cache
        cannot be written to.
    """
    check_channels(network.name, network.pixels)
    names = tuple(dict.fromkeys(network.layer(name).name for name in layers))
    if not names:
        raise StudioError("No layer was chosen; choose at least one.")
    source = source_of(spec)
    listed = source.listed(limit)
    shards.check_size(network, names, len(listed.names))
    return _Building(alongside(network), source, listed, limit, names).run()


def alongside(network: Network) -> Network:
    """Return the network with a module that may run while its own does."""
    try:
        return network.alongside()
    except StudioError:  # a person's own module that cannot be copied
        return network


@dataclass(frozen=True)
class _Item:
    """An image that was read; `image` is None if its responses are known."""

    number: int
    sha256: bytes = NOTHING
    image: Bytes | None = None
    flags: int = 0
    why: str = ""


class _Building:
    """Reads, shows and keeps images, batch by batch."""

    def __init__(
        self,
        network: Network,
        source: Source,
        listed: Listed,
        limit: int,
        layers: tuple[str, ...],
    ) -> None:
        self._network, self._source, self._listed, self._limit = network, source, listed, limit
        self._place = shards.folder() / shards.key_of(network)
        remove_temporaries(self._place, OLD_S)
        former = read_catalogue(source.spec, limit)
        known = {} if former is None else former.known()
        rows = zip(listed.names, listed.sizes.tolist(), listed.times.tolist(), strict=True)
        self._hashes = [known.get(row, NOTHING) for row in rows]
        self._flags: dict[bytes, int] = {}
        have = self._known(layers)
        self._complete = frozenset.intersection(*have.values())
        wanted = set(self._hashes)
        # Images that were never read lack all layers.
        self._layers = [name for name in layers if not wanted <= have[name]]
        self._taken: set[bytes] = set()
        self._unread: list[Unread] = []
        self._unread_count = 0
        self._waiting: list[shards.Measured] = []
        self._kept_at = time.monotonic()

    def _known(self, layers: Sequence[str]) -> dict[str, frozenset[bytes]]:
        """Return for each layer the images whose responses are kept; remove what is damaged."""
        known: dict[str, set[bytes]] = {name: set() for name in layers}
        for shard in shards.read_all(self._place):
            tell("reading what was measured before")
            own = [name for name in layers if name in shard.layers]
            if not all(shard.is_sound(self._network.layer(name)) for name in own):
                shards.remove(shard.path)
                continue
            self._flags.update(zip(shard.hashes, shard.flags.tolist(), strict=True))
            for name in own:
                known[name].update(shard.hashes)
        return {name: frozenset(found) for name, found in known.items()}

    def run(self) -> Report:
        """Read and show all images that are not known, and return the report."""
        lacking = [n for n, each in enumerate(self._hashes) if each not in self._complete]
        try:
            if lacking:
                self._show_all(lacking)
            self._keep()
        except BaseException:
            with suppress(StudioError):  # what went wrong first is what is said
                self._keep()
                self._catalogue(complete=False).write()
            raise
        if not any(each != NOTHING for each in self._hashes):
            first = self._unread[0]
            raise StudioError(
                f"None of the {len(self._hashes):,} pictures in {self._source.spec.place} could be "
                f"read ({first.name}: {first.why}); choose another folder."
            )
        catalogue = self._catalogue(complete=True)
        catalogue.write()
        shards.touch(self._place)
        shards.make_room(self._place)
        return catalogue.report

    def _show_all(self, lacking: Sequence[int]) -> None:
        responder = Responder(self._network, self._layers)
        total = len(self._hashes)
        done = total - len(lacking)
        for items in self._read(lacking):
            tell("looking at real images", done, total)
            self._show(items, responder)
            done += len(items)
        tell("looking at real images", done, total)

    # Reading

    def _read(self, numbers: Sequence[int]) -> Iterator[list[_Item]]:
        """Yield batches of images, of which some are read ahead on another thread."""
        batch = batch_of(self._network)
        parts = [numbers[at : at + batch] for at in range(0, len(numbers), batch)]
        with self._source.reader() as read, ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(self._batch, read, part) for part in parts[:AHEAD]]
            try:
                for at in range(len(parts)):
                    yield waiting.pop(0).result()
                    if at + AHEAD < len(parts):
                        waiting.append(pool.submit(self._batch, read, parts[at + AHEAD]))
            finally:
                for each in waiting:
                    each.cancel()

    def _batch(self, read: Read, numbers: Sequence[int]) -> list[_Item]:
        return [self._item(read, number) for number in numbers]

    def _item(self, read: Read, number: int) -> _Item:
        try:
            raw = read(self._listed.names[number])
            if raw.sha256 in self._complete:
                return _Item(number, raw.sha256)
            image, notes = raw.decode(self._network.pixels)
        except NotAPictureError as error:
            return _Item(number, why=str(error))
        flags = (ANIMATED in notes) * shards.ANIMATED | (CONVERTED in notes) * shards.CONVERTED
        return _Item(number, raw.sha256, image, flags)

    # Showing and keeping

    def _show(self, items: Sequence[_Item], responder: Responder) -> None:
        """Show a batch to the network."""
        new: dict[bytes, Bytes] = {}
        for item in items:
            if item.why:
                self._unread_count += 1
                if len(self._unread) < MOST_NAMED:
                    name = self._listed.names[item.number].encode(errors="replace").decode()
                    self._unread.append(Unread(name, item.why))
                continue
            self._hashes[item.number] = item.sha256
            if item.image is not None and item.sha256 not in self._taken:
                new[item.sha256] = item.image
                self._flags[item.sha256] = item.flags
        if not new:
            return
        self._taken.update(new)
        images = stacked(list(new.values()))
        found = responder.of(as_pixels(images, self._network.pixels))
        flags = np.array([self._flags[each] for each in new], np.uint8)
        self._waiting.append(shards.Measured(list(new), flags, signatures(images), found))
        each = sum(bytes_for(self._network.layer(name)) for name in self._layers)
        size = each * sum(len(some.hashes) for some in self._waiting)
        if time.monotonic() - self._kept_at > KEEP_S or size > MOST_WAITING:
            self._keep()

    def _keep(self) -> None:
        """Write the responses that wait."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            shards.write(self._place, self._network, shards.joined(waiting))
        self._kept_at = time.monotonic()

    def _catalogue(self, *, complete: bool) -> Catalogue:
        listed = self._listed
        read = [each for each in self._hashes if each != NOTHING]
        flags = Counter(self._flags.get(each, 0) for each in read)
        report = Report(
            total=listed.total,
            unread=tuple(self._unread),
            unread_count=self._unread_count,
            animated=sum(count for flag, count in flags.items() if flag & shards.ANIMATED),
            converted=sum(count for flag, count in flags.items() if flag & shards.CONVERTED),
            copies=len(read) - len(set(read)),
            shut=len(listed.shut),
            complete=complete,
        )
        return Catalogue(
            self._source.spec,
            self._limit,
            listed.names,
            tuple(self._hashes),
            listed.sizes,
            listed.times,
            report,
        )
