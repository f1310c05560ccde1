"""What is done on a thread of its own when a photograph is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.photographs import bring
from ldam_studio.engine.picture import Floats
from ldam_studio.explore.classes import confidence_words, probabilities
from ldam_studio.explore.photograph.answers import LayerAnswers, answers_of, layers_for
from ldam_studio.explore.photograph.reference import usual_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.resize import resized


@dataclass(frozen=True)
class Seen:
    """What was found in a photograph.

    Attributes
    ----------
    answers
        The units of each layer.
    layer
        The number of the layer to show first: that of the classes, or else the last one.
    says
        What the network names, in a sentence.
    next
        The class that is most likely after the one that is named; None if there is only one.
    """

    answers: tuple[LayerAnswers, ...]
    layer: int
    says: str
    next: int | None


def read(path: Path, network: Network) -> KeptPicture:
    """Return a photograph as an image of a network."""
    return bring(path, network.pixels)


@dataclass(frozen=True)
class Now:
    """What a network says of an average that is pulled to a picture.

    Attributes
    ----------
    named
        The number of the class that it names.
    says
        That, in words.
    distance
        The root mean square of what differs from the picture, in pixel units.
    """

    named: int
    says: str
    distance: float

    def words(self, changed_at: float | None) -> str:
        """Return both in a sentence, with the distance at which the answer changed, if it has."""
        words = f"Now: {self.says}; changed by {self.distance:.2g} (rms)"
        if changed_at is None or changed_at == self.distance:
            return words
        return f"{words}. The answer had changed at {changed_at:.2g}"


def look_now(network: Network, average: Floats, rest: Floats) -> Now:
    """Return what a network says of an average (C, H, W), and how far that is from a picture."""
    # A copy, because frames are read-only.
    images = resized(torch.from_numpy(np.array(average))[None], rest.shape[1:])
    shares = probabilities(network.alongside(), images)[0]
    best = int(shares.argmax())
    name = network.label(Neuron(network.class_layer.name, best))
    far = (images[0] - torch.from_numpy(np.array(rest))).square().mean().sqrt().item()
    return Now(best, f"{name}, {confidence_words(shares[best].item())}", far)


def look(network: Network, picture: KeptPicture, data: Path | None) -> Seen:
    """Find which units of a network answer to a photograph."""
    alone = network.alongside()
    layers = layers_for(alone)
    usual = usual_of(alone, layers, picture.pixels, data)
    answers = answers_of(alone, picture.pixels, layers, usual)
    shares = probabilities(alone, picture.pixels[None])[0]
    order = shares.argsort(descending=True).tolist()
    name = network.label(Neuron(network.class_layer.name, order[0]))
    names = [layer.layer for layer in answers]
    last = network.class_layer.name
    first = names.index(last) if last in names else len(names) - 1
    says = f"The network says: {name}, {confidence_words(shares[order[0]].item())}"
    return Seen(answers, first, says, order[1] if len(order) > 1 else None)
