"""Responses to images, kept in the user's cache by the network's weights and the images' content.

A *shard* has the responses of some layers to some images, which are named by their SHA-256, so that
it serves every folder that holds them. Whatever is damaged or foreign is left out, and is measured
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ldam_studio.engine.plans.cache import architecture
from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images.likeness import LENGTH, Signatures
from ldam_studio.explore.real_images.responses import Parts, bytes_for, parts_of, places_of, type_of
from ldam_studio.files import cache_folder, is_regular, write_durably
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.networks.weights.fingerprint import fingerprint

VERSION = 1
"""Increased when images are brought to a network's size, or responses computed, in another way."""
MOST_BYTES = 2**32
"""Bytes of everything that is kept, 4 GB; what was not used for the longest time makes room."""
SUFFIX = ".safetensors"
ABOUT = "about"
DIGEST = 32
FACTS = ("hashes", "flags", "signatures")
"""What a file has of each image, see `Shard`."""
ANIMATED, CONVERTED = 1, 2
"""Flags of images, see `pictures.Decoded`."""
DAMAGE = (OSError, SafetensorError, ValueError, TypeError, KeyError, LookupError, MemoryError)

Numbers = NDArray[np.generic]


def folder() -> Path:
    """Return the folder of all that is kept."""
    return cache_folder() / "real-images"


def key_of(network: Network) -> str:
    """Return the key of a network's responses: of its weights, architecture and input."""

    def measure() -> str:
        weights = network.remembered(("fingerprint",), lambda: fingerprint(network.module))
        said = {
            "version": VERSION,
            "weights": weights,
            "architecture": architecture(network),
            "pixels": asdict(network.pixels),
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    return network.remembered(("real-images",), measure)


class KeptLayer(Struct, frozen=True):
    """A layer in a shard; `sha256` is that of its numbers."""

    name: Annotated[str, Meta(max_length=1000)]
    neurons: Annotated[int, Meta(ge=1, le=10**7)]
    places: Annotated[int, Meta(ge=1, le=10**9)]
    sha256: Annotated[str, Meta(max_length=64)]


class About(Struct, frozen=True):
    """What a shard says of itself; `sha256` is that of the facts about its images."""

    version: int
    sha256: Annotated[str, Meta(max_length=64)]
    layers: Annotated[tuple[KeptLayer, ...], Meta(min_length=1, max_length=100_000)]


@dataclass(frozen=True)
class Shard:
    """One file of responses, of which only the header and facts about the images are in memory.

    Attributes
    ----------
    layers
        Its layers by name, each with its number in the file.
    hashes, flags, signatures
        Of each image: the SHA-256 of its content, `ANIMATED` and `CONVERTED`, and what
        `likeness.alike` compares.
    """

    path: Path
    layers: Mapping[str, tuple[int, KeptLayer]]
    hashes: tuple[bytes, ...]
    flags: NDArray[np.uint8] = field(repr=False)
    signatures: Signatures = field(repr=False)

    def part(self, name: str, part: str, rows: int | slice = slice(None)) -> Numbers:
        """Return some neurons' part of a layer, (images,) or (neurons, images)."""
        with safe_open(self.path, "numpy") as file:
            found: Numbers = file.get_slice(f"{self.layers[name][0]}.{part}")[rows]
            return found

    def is_sound(self, layer: Layer) -> bool:
        """Return whether the numbers of a layer are of the right kind and as they were written."""
        number, kept = self.layers[layer.name]
        places = places_of(layer)
        if (kept.neurons, kept.places) != (layer.neurons, places):
            return False
        shape = [layer.neurons, len(self.hashes)]
        digest = hashlib.sha256()
        try:
            with safe_open(self.path, "numpy") as file:
                for part in parts_of(layer):
                    if file.get_slice(f"{number}.{part}").get_shape() != shape:
                        return False
                    numbers = file.get_tensor(f"{number}.{part}")
                    if numbers.dtype != type_of(part, places):
                        return False
                    if part.endswith("_at") and numbers.size and int(numbers.max()) >= places:
                        return False
                    digest.update(numbers.tobytes())
        except DAMAGE:
            return False
        return digest.hexdigest() == kept.sha256


def read(path: Path) -> Shard | None:
    """Read a shard's header and the names of its images; None if it is damaged or foreign."""
    try:
        if not is_regular(path) or path.stat().st_size > MOST_BYTES:
            return None
        with safe_open(path, "numpy") as file:
            about = msgspec.json.decode(file.metadata()[ABOUT], type=About)
            if about.version != VERSION:
                return None
            hashes, flags, small = (file.get_tensor(n) for n in FACTS)
        images = len(flags)
        shapes = hashes.shape, flags.shape, small.shape
        if shapes != ((images, DIGEST), (images,), (images, LENGTH)):
            return None
        if {each.dtype for each in (hashes, flags, small)} != {np.dtype(np.uint8)}:
            return None
        if _digest(hashes, flags, small) != about.sha256:
            return None
    except (*DAMAGE, msgspec.MsgspecError):
        return None
    layers = {layer.name: (number, layer) for number, layer in enumerate(about.layers)}
    return Shard(path, layers, tuple(row.tobytes() for row in hashes), flags, small)


@dataclass(frozen=True)
class Measured:
    """Responses that were just measured: of each image the facts as in a `Shard`, and by layer."""

    hashes: list[bytes]
    flags: NDArray[np.uint8]
    signatures: Signatures
    found: Mapping[str, Parts]


def joined(some: Sequence[Measured]) -> Measured:
    """Return what was measured of the same layers, joined."""
    found = {
        name: {part: np.concatenate([each.found[name][part] for each in some]) for part in parts}
        for name, parts in some[0].found.items()
    }
    return Measured(
        [each for one in some for each in one.hashes],
        np.concatenate([each.flags for each in some]),
        np.concatenate([each.signatures for each in some]),
        found,
    )


def write(place: Path, network: Network, measured: Measured) -> Path:
    """Write a shard into a folder, whole or not at all; return its file.

    Raises
    ------
    StudioError
        If the folder cannot be written to or the disk is full.
    """
    tensors: dict[str, Numbers] = {
        "hashes": np.frombuffer(b"".join(measured.hashes), np.uint8).reshape(-1, DIGEST),
        "flags": measured.flags,
        "signatures": measured.signatures,
    }
    kept = []
    for number, (name, parts) in enumerate(measured.found.items()):
        layer = network.layer(name)
        digest = hashlib.sha256()
        for part in parts_of(layer):
            numbers = np.ascontiguousarray(parts[part].T)
            digest.update(numbers.tobytes())
            tensors[f"{number}.{part}"] = numbers
        kept.append(KeptLayer(name, layer.neurons, places_of(layer), digest.hexdigest()))
    facts = _digest(*(tensors[name] for name in FACTS))
    about = msgspec.json.encode(About(VERSION, facts, tuple(kept))).decode()
    path = place / f"{hashlib.sha256(about.encode()).hexdigest()[:24]}{SUFFIX}"
    write_durably(path, lambda to: save_file(tensors, to, {ABOUT: about}))
    return path


def _digest(*numbers: Numbers) -> str:
    digest = hashlib.sha256()
    for each in numbers:
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()


def read_all(place: Path) -> Iterator[Shard]:
    """Yield the shards in a folder; what is damaged is removed."""
    for path in sorted(place.glob(f"*{SUFFIX}")):
        shard = read(path)
        if shard is None:
            remove(path)
        else:
            yield shard


def remove(path: Path) -> None:
    """Remove a shard that is damaged."""
    with contextlib.suppress(OSError):
        path.unlink()


def check_size(network: Network, layers: Sequence[str], images: int) -> None:
    """Raise `StudioError` if the responses would take more than `MOST_BYTES`."""
    needed = images * sum(bytes_for(network.layer(name)) for name in layers)
    if needed > MOST_BYTES:
        raise StudioError(
            f"The responses of {len(layers)} layers of {network.name} to {images:,} images take "
            f"{needed / 2**30:.1f} GB, but at most {MOST_BYTES / 2**30:.0f} GB are kept; choose "
            "fewer layers or fewer images."
        )


def make_room(own: Path) -> None:
    """Remove the folders of other networks, the least recently used first, beyond `MOST_BYTES`."""
    with contextlib.suppress(OSError):
        others = [each for each in own.parent.iterdir() if each.is_dir() and each != own]
        others.sort(key=_used_at)
        room = MOST_BYTES - _size(own)
        sizes = {each: _size(each) for each in others}
        for each in others:
            if sum(sizes.values()) <= room:
                return
            shutil.rmtree(each, ignore_errors=True)
            del sizes[each]


def touch(place: Path) -> None:
    """Note that a network's folder was used just now."""
    with contextlib.suppress(OSError):
        (place / USED).touch()


USED = "used"


def _used_at(place: Path) -> float:
    try:
        return (place / USED).stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    total = 0
    for path in place.iterdir():
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total
