"""Listing a network's layers, and what forward passes show about each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory, too_little
from ldam_studio.networks.anatomy.batches import (
    Counted,
    Shapes,
    counted,
    parts_by_layer,
    shapes_for_more,
)
from ldam_studio.networks.anatomy.failing import FailsOnImage, place_in_code
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.recording import Recorded, Recording
from ldam_studio.networks.anatomy.results import all_tensors, parts_of

MAIN = (
    "logits logit out output outputs prediction predictions pred preds cls class classes "
    "classification score scores prob probs probability probabilities y y_hat yhat y_pred"
).split()
"""Names under which networks return the classes beside other things, the likeliest first."""

_KEY = re.compile(r"\[([^\[\]]*)\]")
_BESIDE = re.compile(r"(aux|feat|loss|hidden|embed|atten|attn)")


@dataclass(frozen=True)
class Layers:
    """What forward passes show about a network.

    Attributes
    ----------
    all
        The layers, in the order in which the forward pass leaves them.
    footprints
        For each layer, the rectangle of pixels that its units at each place see: whole numbers
        (top, left, -bottom, -right), shape (4, *places), with size 1 in dimensions along which they
        are equal. None if unknown.
    origins
        For each layer, the units of an earlier layer from which its output is computed by moving,
        dropout, activation functions or averaging only; None if it is computed in another way.
    inputs
        The same for the input of each convolution or fully connected layer.
    outputs
        The layers that the network returns, the likeliest for classes first; never empty.
    entries
        What the network returns that is a layer: the name of each, such as ``output[logits]``, and
        the layer's, which is another one if a module computes it; in the order of `outputs`.
    aliases
        Other names of layers: the entries', and those that 0.1.0 gave.
    former
        The layer that 0.1.0 took for the network's output.
    unlisted
        The modules that are no layers, because they give another number of outputs than one for
        each image, for example one for each part of it.
    """

    all: tuple[Layer, ...]
    footprints: dict[str, Tensor | None]
    origins: dict[str, Origin | None]
    inputs: dict[str, Origin | None]
    outputs: tuple[str, ...]
    former: str
    unlisted: tuple[str, ...] = ()
    entries: tuple[tuple[str, str], ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about layers whose outputs are not one for each image."""
        notes = []
        alone = sum(layer.alone for layer in self.all)
        if alone:
            which = "its layers" if alone == len(self.all) else f"{alone} of its layers"
            notes.append(
                f"Given two images, {which} did not give one output for each; chains run one at a "
                "time there."
            )
        if self.unlisted:
            more = " and others are no layers" if len(self.unlisted) > 1 else " is no layer"
            notes.append(f"{self.unlisted[0]}{more}, for want of one output for each image.")
        return tuple(notes)


def list_layers(
    name: str,
    module: nn.Module,
    inputs: Tensor,
    like: Sequence[Layer] | None = None,
    more: Shapes | None = None,
) -> Layers:
    """Return the layers of a network, and what forward passes show about them.

    Parameters
    ----------
    name
        Name of the network in error messages.
    inputs
        One normalised image, (1, C, H, W), or the fewest that the network takes. With more than
        one, nothing is known of footprints and origins.
    like
        Its layers on images of another size, if they are known; only these are listed.
    more
        The shapes of its outputs for one image more, if they are known.

    Raises
    ------
    StudioError
        If the network cannot take such an image, has no units to look at, or lets no gradient
        through to the image.
    """
    recording = Recording(module, inputs)
    try:
        try:
            # Nothing is saved for a backward pass, because no gradients are computed ...
            with saved_tensors_hooks(_nothing, _nothing):
                output = recording.run()
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            # ... unless the network computes some itself.
            recording = Recording(module, inputs)
            output = recording.run()
    except Exception as error:
        if is_lack_of_memory(error):
            what = f"{name} on an image of {_by(inputs.shape[1:])} {recording.where},"
            raise too_little(what, error, "take a smaller input or close other programs") from None
        what = f"{name} fails on an image of {_by(inputs.shape[1:])} {recording.where}"
        raise FailsOnImage(f"{what} ({in_short(error)})", place_in_code(error)) from None
    returned = _returned(output, recording)
    _check_gradients(name, output, recording)
    if like is None:
        how = _counted(recording, more, len(inputs))
        if any(each is None or each.alone for each in how):
            # Where shapes depend on values, those of the same image again tell more.
            how = _counted(recording, shapes_for_more(module, inputs), len(inputs))
    else:
        known = {la.name: Counted(la.batch, la.squeezed, la.alone) for la in like}
        how = [known.get(each.name) for each in recording.found]
    listed = [(r, _layer(r, c)) for r, c in zip(recording.found, how, strict=True) if c is not None]
    if not listed:
        raise StudioError(
            f"{name} has no units to look at; its forward pass must return a tensor (n, units) "
            "of floating-point numbers that depend on the image."
        )
    found = _described(listed, returned, recording)
    of_none = zip(recording.found, how, strict=True)
    unlisted = (r.name for r, count in of_none if count is None and r.name == r.spot[0])
    return replace(found, unlisted=tuple(unlisted))


def _counted(recording: Recording, more: Shapes | None, images: int) -> list[Counted | None]:
    return [counted(each.spot, each.shape, more, images) for each in recording.found]


def _nothing(_saved: Any) -> Any:
    """Save nothing of a tensor, since no backward pass follows."""


def _returned(output: Any, recording: Recording) -> list[tuple[str, str]]:
    """Return what the network returns that may be a layer, the likeliest for classes first.

    Each has its name in what is returned, and that of the layer.

    Tensors that no module computes are recorded. So is a first tensor that is not the last module's
    output, as in 0.1.0.
    """
    found = []
    places = [place for place, _ in parts_of(output)]
    for number, (part, tensor) in enumerate(parts_by_layer(output)):
        known = recording.known(tensor)
        if not number and tensor.ndim > 1 and known is not recording.last:
            known = None
        if known is None and recording.is_usable(tensor):
            known = recording.add(("", 1, part), recording.module, tensor, first=not number)
        if known is not None:
            found.append((places[number], known))
            if places[number]:
                recording.aliases.setdefault(f"{recording.whole}{places[number]}", known.name)
    found.sort(key=lambda entry: likeliest(entry[0]))
    return [
        (f"{recording.whole}{place}" if place and known.spot[0] else known.name, known.name)
        for place, known in found
    ]


def likeliest(place: str) -> int:
    """Return a sort key for places in what a network returns: small for what is called classes."""
    keys = [key.casefold() for key in _KEY.findall(place)]
    if any(_BESIDE.match(key) for key in keys):
        return len(MAIN) + 1
    ranks = [MAIN.index(key) for key in keys if key in MAIN]
    # As in pred_logits, cls_score or class_probs.
    ends = [MAIN.index(end) for key in keys if (end := key.rpartition("_")[2]) in MAIN]
    return min(ranks or ends, default=len(MAIN))


def _check_gradients(name: str, output: Any, recording: Recording) -> None:
    """Check that the image has a gradient.

    An output without one, for example a decision, is left out if the last module's output has one.
    """
    numbers = [t for t in all_tensors(output) if t.is_floating_point() and t.ndim]
    cut_off = bool(numbers) and not any(map(recording.follows, numbers))
    if cut_off and (recording.ends_astray or not recording.found):
        raise StudioError(
            f"{name} lets no gradient through to the image, but chains need it: its forward pass "
            "uses torch.no_grad, torch.inference_mode, detach or quantised layers; remove these."
        )


def _layer(recorded: Recorded, how: Counted) -> Layer:
    path, call, part = recorded.spot
    shape = recorded.shape
    if not how.squeezed:
        shape = shape[: how.batch] + shape[how.batch + 1 :]
    features_last = recorded.features_last or (how.batch == 1 and len(shape) == 2)
    axis = len(shape) - 1 if features_last and len(shape) > 1 else 0
    shape = shape or (1,)  # one number for each image
    return Layer(
        recorded.name,
        recorded.kind,
        shape,
        neurons=shape[axis],
        axis=axis,
        batch=how.batch,
        squeezed=how.squeezed,
        alone=how.alone,
        path=path,
        call=call,
        part=part,
    )


def _described(
    listed: list[tuple[Recorded, Layer]], returned: list[tuple[str, str]], recording: Recording
) -> Layers:
    layers = {layer.name: layer for _, layer in listed}
    united: dict[tuple[int, int], Tensor] = {}  # successive layers often share footprints
    footprints: dict[str, Tensor | None] = {}
    origins: dict[str, Origin | None] = {}
    for recorded, layer in listed:
        # Footprints and origins need the images in the first dimension.
        plain = not layer.batch and not layer.squeezed
        origins[layer.name] = recorded.origin if plain else None
        value = recorded.seen if plain else None
        if value is None:
            footprints[layer.name] = None
            continue
        key = id(value.short), layer.axis
        if key not in united:
            planes = value.planes if layer.axis else value.short
            seen = planes.amin(dim=2 + layer.axis).squeeze(1)
            united[key] = seen.clamp_max(torch.iinfo(torch.int16).max).short()
        footprints[layer.name] = united[key]
    inputs = recording.inputs
    entries = tuple((entry, name) for entry, name in returned if name in layers)
    outputs = tuple(dict.fromkeys(name for _, name in entries))
    former = [layer.name for recorded, layer in listed if recorded.former]
    return Layers(
        tuple(layers.values()),
        footprints,
        _known_only(origins, layers),
        _known_only({name: at for name, at in inputs.items() if name in layers}, layers),
        outputs or tuple(layers)[-1:],
        former[-1] if former else tuple(layers)[-1],
        entries=entries,
        aliases={n: of for n, of in recording.aliases.items() if of in layers and n not in layers},
    )


def _known_only(
    origins: dict[str, Origin | None], layers: dict[str, Layer]
) -> dict[str, Origin | None]:
    """Return the origins, None for those in what is no layer."""
    return {n: at if at is not None and at.layer in layers else None for n, at in origins.items()}


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
