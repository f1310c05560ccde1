"""What units see, as the forward pass tells it, against values that are not numbers and gradients.

A pixel that is not a number makes every unit that sees it not a number, whatever the weights are:
that is the truth that rectangles are held against.
"""

from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional

from ldam_studio.networks.anatomy.fields import measured_field
from ldam_studio.networks.anatomy.layers import OUTPUT
from ldam_studio.networks.anatomy.results import first_tensor
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from thinned import one_in

PIXELS = PixelSpec(3, 40, 36, (0.5,) * 3, (0.25,) * 3, rest=0.5)
PHOTO = PixelSpec(3, 64, 56, (0.5,) * 3, (0.25,) * 3, rest=0.5)


class Forward(nn.Module):
    """Two convolutions around anything."""

    def __init__(self, between, channels=8):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.last = nn.Conv2d(channels, 4, 3)
        self.between = between

    def forward(self, x):
        return self.last(self.between(self.first(x)))


def _changed_in_place(x):
    y = x * 1
    y[:, :, 2:] = x[:, :, :-2]
    return y.mul_(x)


def _windows_apart(x):
    """Mix each of 4 windows by itself, shifted, as Swin transformers do."""
    x = torch.roll(x.permute(0, 2, 3, 1), (-3, -2), dims=(1, 2))
    n, h, w, c = x.shape
    x = x.view(n, 2, h // 2, 2, w // 2, c).permute(0, 1, 3, 2, 4, 5).reshape(4, -1, c)
    x = torch.softmax(x @ x.transpose(-2, -1), dim=-1) @ x
    x = x.view(n, 2, 2, h // 2, w // 2, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
    return torch.roll(x, (3, 2), dims=(1, 2)).permute(0, 3, 1, 2)


OPERATIONS = {
    "arithmetic": lambda x: torch.relu(x * 2 - x.square()) + 1,
    "concatenated": lambda x: torch.cat([x[:, :4], functional.max_pool2d(x, 3, 1, 1)[:, 4:]], 1),
    "split": lambda x: torch.cat([functional.avg_pool2d(h, 5, 1, 2) for h in x.chunk(2, 1)], 1),
    "shuffled": lambda x: x.view(1, 2, 4, *x.shape[2:]).transpose(1, 2).flatten(1, 2),
    "pooled with a rest": lambda x: functional.max_pool2d(x, 3, 2, ceil_mode=True),
    "adaptively pooled": lambda x: functional.adaptive_avg_pool2d(x, (7, 5)),
    "reflected": lambda x: functional.pad(x, (2, 2, 2, 2), mode="reflect"),
    "padded": lambda x: functional.pad(x, (2, 0, 0, 1)),
    "cut and rolled": lambda x: torch.roll(x[:, :, 3:-5], 7, dims=3),
    "changed in place": _changed_in_place,
    "windows apart": _windows_apart,
    "squeezed": lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "normalised over channels": lambda x: functional.layer_norm(
        x.permute(0, 2, 3, 1), (8,)
    ).permute(0, 3, 1, 2),
    "normalised over places": lambda x: functional.group_norm(x, 2),
    "unrolled": lambda x: x.flatten(2).transpose(1, 2).reshape(1, *x.shape[2:], 8).movedim(3, 1),
}


def seeded(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def field(network, layer, place):
    whole = (0, 0, network.pixels.height, network.pixels.width)
    return network.receptive_field(layer.name, place) or whole


def untrue(network, place_of):
    """Return the layers whose units at a place are not just what their rectangles hold."""
    layers = [la for la in network.layers if len(la.places) == 2 and la.name != OUTPUT]
    boxes = {}
    for layer in layers:
        boxes.setdefault(field(network, layer, place_of(layer)), []).append(layer)
    return [name for box, found in boxes.items() for name in _probe(network, box, found, place_of)]


def _probe(network, box, layers, place_of):
    top, left, bottom, right = box
    x = torch.rand((5, *network.pixels.shape), generator=torch.Generator().manual_seed(3))
    inside = x[0, :, top:bottom, left:right].clone()
    x[0] = torch.nan
    x[0, :, top:bottom, left:right] = inside
    x[1, :, top], x[2, :, bottom - 1] = torch.nan, torch.nan
    x[3, :, :, left], x[4, :, :, right - 1] = torch.nan, torch.nan
    found, handles = {layer.name: [] for layer in layers}, []
    for layer in layers:

        def hook(_module, _inputs, output, layer=layer):
            met[layer.name] += 1
            if met[layer.name] != layer.call:
                return
            values = first_tensor(output)[0].movedim(layer.axis, 0)[:, *place_of(layer)]
            calls[layer.name] = calls.get(layer.name, bool(values.isnan().any()))

        handles.append(network.module.get_submodule(layer.path).register_forward_hook(hook))
    with torch.no_grad():
        for image in x:  # one by one, as a network may be made for that
            calls, met = {}, Counter()
            network.module(network.normalise(image[None]))
            for name, seen in calls.items():
                found[name].append(seen)
    for handle in handles:
        handle.remove()
    return [name for name, seen in found.items() if seen != [False, True, True, True, True]]


PLACES = {
    "centre": lambda layer: tuple(n // 2 for n in layer.places),
    "first": lambda layer: (0, 0),
    "last": lambda layer: tuple(n - 1 for n in layer.places),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_seen_through_an_operation_is_what_the_rectangle_holds(operation):
    network = seeded(lambda: Network("net", Forward(OPERATIONS[operation]), PIXELS))
    assert network.listing.footprints["last"] is not None
    for place_of in PLACES.values():
        assert untrue(network, place_of) == []


@pytest.mark.parametrize(
    "convolution",
    [
        lambda: nn.Conv2d(8, 8, 3, 2, 1, groups=4),
        lambda: nn.Conv2d(8, 8, (5, 1), padding=(2, 0), dilation=2),
        lambda: nn.Conv2d(8, 8, 3, padding="same", dilation=3),
        lambda: nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"),
    ],
    ids=["grouped", "dilated", "same", "circular"],
)
def test_what_is_seen_through_a_convolution_is_what_the_rectangle_holds(convolution):
    network = seeded(lambda: Network("net", Forward(convolution()), PIXELS))
    for place_of in PLACES.values():
        assert untrue(network, place_of) == []


def _alexnet():
    """Return AlexNet's convolutions without the fully connected layers, which take long to fill."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
    )


PUBLIC = {
    "alexnet": lambda models: _alexnet(),
    "resnet18": lambda models: models.resnet18(num_classes=10),
    "squeezenet": lambda models: models.squeezenet1_1(num_classes=10),
    "vgg11": lambda models: models.vgg.make_layers(models.vgg.cfgs["A"][:9]),
}


@pytest.mark.parametrize("name", one_in(2, PUBLIC))
def test_public_networks_see_what_the_gradient_reaches_and_no_more(name):
    from torchvision import models

    network = seeded(lambda: Network(name, PUBLIC[name](models), PHOTO))
    assert untrue(network, PLACES["centre"]) == []
    layers = [la for la in network.layers if len(la.places) == 2]
    boxes = {field(network, la, PLACES["centre"](la)): la for la in layers}
    for box, layer in list(boxes.items())[:3]:
        measured = measured_field(network, layer, PLACES["centre"](layer))
        assert (measured or (0, 0, PHOTO.height, PHOTO.width)) == box


def test_what_cannot_be_followed_is_measured_instead():
    # The operations inside of `vmap` act on tensors of another kind.
    network = seeded(lambda: Network("net", Forward(torch.vmap(torch.sin)), PIXELS))
    layer = network.layer("last")
    assert network.listing.footprints["last"] is None
    measured = measured_field(network, layer, PLACES["centre"](layer))
    assert network.receptive_field("last") == measured == (18, 16, 23, 21)


def test_after_everything_was_seen_no_rule_is_needed():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 8, 3)
            self.over = nn.GRU(8, 6, batch_first=True)

        def forward(self, x):
            x = self.first(x)
            return self.over((x * x.mean((2, 3), keepdim=True)).flatten(2).transpose(1, 2))[0]

    network = seeded(lambda: Network("net", Recurrent(), PIXELS))
    assert network.listing.footprints["over"] is not None
    assert network.receptive_field("over", (3,)) is None


def test_a_transformer_sees_a_patch_and_then_everything():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 4, 4)
            self.norm = nn.LayerNorm(8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.own = nn.Parameter(torch.zeros(1, 1, 8))

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = self.norm(torch.cat([self.own, x], 1))
            return x + self.attention(x, x, x, need_weights=False)[0]

    network = seeded(lambda: Network("net", Tokens(), PIXELS))
    assert network.receptive_field("patches", (1, 2)) == (4, 8, 8, 12)
    assert network.receptive_field("norm", (1 + 9 + 2,)) == (4, 8, 8, 12)
    assert network.receptive_field("attention", (0,)) is None
    assert all(seen is not None for seen in network.listing.footprints.values())
