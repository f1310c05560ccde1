"""A network with its neurons, their receptive fields, and the origin of its weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.addressed import Addressed
from ldam_studio.networks.anatomy.crops import Crop, find_crop
from ldam_studio.networks.anatomy.fields import Box, receptive_field
from ldam_studio.networks.anatomy.listing import Layers
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.anatomy.units import resolved
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.provenance import Provenance, WeightsFile
from ldam_studio.networks.sizes import MOST_SIDES, MULTIPLE, check_room, listing_at, moved
from ldam_studio.networks.told import told
from ldam_studio.networks.weights.fingerprint import fingerprint
from ldam_studio.networks.weights.state_dicts import renamed
from ldam_studio.networks.weights.weights import check_finite, put_into, weights_for

T = TypeVar("T")


class Network(Addressed):
    """A trained network, frozen and in evaluation mode, with what is known about it.

    Scripts get one from `open_network`, and use `name`, `pixels`, `labels`, `layers`,
    `class_layer` and `to`; everything else is private.

    Parameters
    ----------
    name
        Its name for the user ("lenet").
    module
        Takes normalised images (n, C, H, W).
    pixels
        How pixels become its input.
    labels
        Names of the classes; may be empty.
    provenance
        How it was opened.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        pixels: PixelSpec,
        labels: tuple[str, ...] = (),
        provenance: Provenance | None = None,
    ) -> None:
        super().__init__(name, module, pixels, labels)
        self.provenance = provenance or Provenance()

    def __repr__(self) -> str:
        """Return its name, the size of its images, and how many layers and labels it has."""
        size = " x ".join(map(str, self.pixels.shape))
        return (
            f"Network({self.name}: images of {size}, {len(self.layers)} layers, "
            f"{self.class_layer.neurons} classes in {self.class_layer.name})"
        )

    @property
    def sha256(self) -> str:
        """SHA-256 of its weights' file, by which a recipe recognises the network."""
        return self.provenance.sha256

    @property
    def own_sha256(self) -> str:
        """SHA-256 to show, which differs between two sets of weights in one file."""
        if self.provenance.weights_key is None:
            return self.sha256
        return self.remembered(("fingerprint",), lambda: fingerprint(self.module))

    @property
    def weights(self) -> Path | None:
        """The file of its weights; None for shipped or published weights and for own code's."""
        return self.provenance.weights

    @property
    def reference(self) -> dict[str, Any]:
        """The description with which a recipe finds this network again."""
        recorded: dict[str, Any] = {}
        if self.behaviour.recorded:
            recorded["behaviour"] = list(self.behaviour.recorded)
        if self._class_layer != self.listing.former:
            recorded["class_layer"] = self._class_layer
        return self.provenance.reference(self.name) | self.named_statistics | recorded

    # Other weights

    def weights_in(self, saved: Mapping[str, Any], source: Path) -> dict[str, Tensor]:
        """Return this network's weights, by its own names, from the content of a file.

        They are searched in the same way as when the network was opened: under any prefix, renamed
        if the library has renamed them, and only in part if that was allowed.

        Raises
        ------
        StudioError
            If they belong to another architecture.
        """
        matching = self.provenance.matching
        if matching.new_name is not None:
            saved = renamed(saved, matching.new_name)
        match = weights_for(
            self.module, saved, source, matching.partial, matching.spare, matching.key
        )
        if matching.missing is not None and match.missing != matching.missing:
            raise StudioError(
                f"{source} and {self.weights} do not lack the same weights; open it as another "
                "network."
            )
        return match.state

    def with_weights(self, saved: Mapping[str, Any], weights: Path, sha256: str) -> Self:
        """Return this network with other weights of the same shapes, as in a later checkpoint.

        Raises
        ------
        StudioError
            If the weights in `saved` belong to another architecture, or are not finite.
        """
        own = self.weights_in(saved, weights)
        check_finite(own, weights)
        return self.twin(own, WeightsFile(weights, sha256))

    def twin(self, weights: Mapping[str, Tensor], *files: WeightsFile) -> Self:
        """Return a copy of this network with other weights, by its own names.

        Receptive fields are measured again only if they depend on the weights; see
        `measures_field`. Another thread may be running this network meanwhile.

        Parameters
        ----------
        files
            The file of the weights, or the files whose mean they are, the newest last.

        Raises
        ------
        StudioError
            If the network is the user's own module and cannot be copied.
        """
        module = self.copied_module()
        put_into(module, weights)
        twin = self.with_module(module)
        twin.forget_statistics()
        twin.provenance = replace(
            self.provenance,
            sha256=files[-1].sha256,
            weights=files[-1].weights,
            partial=self.provenance.matching.partial,
            untrained=False,
            random_seed=None,
            mean_of=files if len(files) > 1 else (),
        )
        known = self._remembered.copy()  # another thread may be adding to it
        twin._remembered = {
            k: v
            for k, v in known.items()
            if k[0] in ("field", "crop") and not self.measures_field(k[1])
        }
        for key, sized in known.items():
            if key[0] == "side":
                again = None if sized is None else twin._resized(sized.pixels, sized.listing)
                twin._remembered[key] = again
        return twin

    def alongside(self) -> Self:
        """Return this network with a module of its own, which may run while this one's runs.

        The two share all tensors and all that is known of them. Nothing is tried again, as in
        `twin`, so that it is quick.

        Raises
        ------
        StudioError
            If the network is the user's own module and cannot be copied.
        """
        twin = copy.copy(self)
        twin.run_alone()
        known = self._remembered.copy()
        twin._remembered = {key: value for key, value in known.items() if key[0] != "side"}
        for key, sized in known.items():
            if key[0] == "side":
                again = None if sized is None else twin._resized(sized.pixels, sized.listing)
                twin._remembered[key] = again
        return twin

    def to(self, device: torch.device | str) -> Self:
        """Move to `device`, in place; return self. A change of device discards measured fields.

        Runs need no call of it: `sample` and `stream` move the network to their `device`. For one
        that is not there, torch raises an error of its own, and the network stays where it is.
        """
        if torch.device(device) != self.device:
            super().to(device)
            self._remembered.clear()
        return self

    # Images of another size

    def at_side(self, side: int) -> Self | None:
        """Return this network for images whose shorter side has `side` pixels; 0 is its own size.

        It has the same module and weights and the same neurons, at other places and with other
        receptive fields. If the network cannot take the size, the nearest multiple of `MULTIPLE` is
        used; None if it cannot take that either. The results of the last `MOST_SIDES` sizes are
        kept. They are on this network's device, and do not follow it to another.
        """
        if side in (0, self.pixels.side):
            return self
        if ("side", side) not in self._remembered:
            known = [key for key in self._remembered.copy() if key[0] == "side"]
            for key in known[: max(0, len(known) + 1 - MOST_SIDES)]:
                self._remembered.pop(key, None)
        return self.remembered(("side", side), lambda: self._at_side(side))

    def _at_side(self, side: int) -> Self | None:
        near = max(1, round(side / MULTIPLE)) * MULTIPLE
        for found in dict.fromkeys((side, near)):
            if found == self.pixels.side:
                return self
            pixels = self.pixels.at_side(found)
            check_room(self, pixels)
            listing = listing_at(self, pixels)
            if listing is not None:
                return self._resized(pixels, listing)
        return None

    def _resized(self, pixels: PixelSpec, listing: Layers) -> Self:
        twin = copy.copy(self)
        twin.pixels, twin.listing, twin.layers = pixels, listing, listing.all
        twin._remembered = {}
        return twin

    def seen_from(self, opened: Network, neurons: Sequence[Neuron]) -> tuple[Neuron, ...]:
        """Return the `neurons` of the network that this one is `at_side`, as neurons of this one.

        Explicit places move in proportion to the layers' sizes.
        """
        if self is opened:
            return tuple(neurons)
        return tuple(moved(n, opened.layer(n.layer), self.layer(n.layer)) for n in neurons)

    # What its neurons see

    def receptive_field(self, layer: str, place: Place = None) -> Box | None:
        """Return the pixels that a layer's units at a place see; None for the whole image."""
        known = self.layer(layer)
        where = resolved(known, place)

        def measure() -> Box | None:
            with told(f"looking for what {layer} sees"):
                return receptive_field(self, known, where)

        return self.remembered(("field", layer, where), measure)

    def measures_field(self, layer: str) -> bool:
        """Return whether a layer's receptive fields are measured and so depend on the weights.

        They are measured after an operation that has no rule in `anatomy.rules`.
        """
        return self.listing.footprints[layer] is None

    def knows_field(self, layer: str) -> bool:
        """Return whether `receptive_field` at a layer's default place needs no new measurement."""
        known = self.layer(layer)
        where = resolved(known, None)
        unmeasured = self.measures_field(layer) and isinstance(where, tuple)
        return not unmeasured or ("field", layer, where) in self._remembered

    def crop(self, layer: str, place: Place = None, *, former: bool = False) -> Crop | None:
        """Return the part of the image that the units at a place need; None for the whole image.

        With `former` it is found as in version 0.1.0.
        """
        known = self.layer(layer)
        where = resolved(known, place)

        def find() -> Crop | None:
            field = self.receptive_field(layer, where)
            with told(f"comparing what {layer} sees with the whole image"):
                return find_crop(self, known, where, field, former=former)

        return self.remembered(("crop", layer, where, former), find)
