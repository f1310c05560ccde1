"""What units are said to see, against the pixels that plain torch's gradient reaches."""

import copy

import pytest
import torch
from torch import nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from seeing_networks import GLOBAL, LOCAL, Between, Branch, Vmapped
from thinned import one_in

PIXELS = PixelSpec(3, 20, 18, (0.5,) * 3, (0.25,) * 3, rest=0.5)
EVERYTHING = (0, 0, 20, 18)
SCALES = (0.02, 0.2, 0.5, 2.0, 8.0)


def opened(make):
    """Return the network, and its module as it was before it was opened."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make().eval()
    plain = copy.deepcopy(module)
    return Network("net", module, PIXELS), plain


def reached(network, plain, place, repeats=5):
    """Return the box of the pixels that the gradient of a place's units reaches, for any image."""
    generator = torch.Generator().manual_seed(5)
    found = torch.zeros(PIXELS.shape[1:], dtype=torch.bool)
    for scale in SCALES * repeats:
        x = 0.5 + scale * torch.randn((1, *PIXELS.shape), generator=generator)
        x.requires_grad_()
        values = plain(network.normalise(x))[0, :, place[0], place[1]]
        weights = torch.randn(values.shape, generator=generator)
        (gradient,) = torch.autograd.grad((values * weights).sum(), x)
        found |= (gradient[0] != 0).any(0)
    rows, columns = found.any(1).nonzero().flatten(), found.any(0).nonzero().flatten()
    if not len(rows):
        return None
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def places_of(layer):
    height, width = layer.places
    return (0, 0), (height // 2, width // 2), (height - 2, width // 3)


@pytest.mark.parametrize("kind", one_in(2, LOCAL))
def test_a_field_is_what_the_gradient_reaches_and_no_more(kind):
    network, plain = opened(LOCAL[kind])
    layer = network.layers[-1]
    assert network.listing.footprints[layer.name] is not None
    for place in places_of(layer):
        seen = network.receptive_field(layer.name, place) or EVERYTHING
        assert seen == reached(network, plain, place)


@pytest.mark.parametrize("kind", GLOBAL)
def test_what_may_depend_on_everything_sees_everything(kind):
    network, _ = opened(GLOBAL[kind])
    layer = network.layers[-1]
    for place in places_of(layer):
        assert network.receptive_field(layer.name, place) is None
        assert network.crop(layer.name, place) is None


@pytest.mark.parametrize("kind", ["bilinear", "unfolded", "transposed", "circular convolution"])
def test_fields_hold_at_another_size_too(kind):
    network, plain = opened(LOCAL[kind])
    sized = network.at_side(26)
    assert sized is not None and sized.pixels.shape == (3, 29, 26)
    layer = sized.layers[-1]
    generator = torch.Generator().manual_seed(1)
    for place in places_of(layer):
        x = torch.rand((1, *sized.pixels.shape), generator=generator).requires_grad_()
        value = plain(sized.normalise(x))[0, :, place[0], place[1]].sum()
        (gradient,) = torch.autograd.grad(value, x)
        top, left, bottom, right = sized.receptive_field(layer.name, place) or (0, 0, 29, 26)
        gradient[:, :, top:bottom, left:right] = 0
        assert not gradient.any()


def test_a_value_that_decides_is_seen():
    # The last pixel but one of the convolution's output sees a window in the corner.
    network, _ = opened(lambda: Between(Branch(lambda x: x[0, 0, -2, -2].item() > 0)))
    assert network.receptive_field("first", (3, 3)) == (2, 2, 5, 5)
    assert network.receptive_field("last", (0, 0)) is None
    assert network.receptive_field("last", (19, 17)) == (16, 14, 20, 18)


def test_what_is_computed_before_a_branch_does_not_see_what_decides():
    network, _ = opened(lambda: Between(Branch(lambda x: x.mean() > 0)))
    assert network.receptive_field("between.one", (5, 5)) == (3, 3, 8, 8)
    assert network.receptive_field("between") is None


@pytest.mark.parametrize("kind", one_in(2, LOCAL))
def test_on_a_crop_value_and_gradient_are_those_of_the_whole_image(kind):
    network, plain = opened(LOCAL[kind])
    layer = network.layers[-1]
    generator = torch.Generator().manual_seed(2)
    for place in places_of(layer):
        crop = network.crop(layer.name, place)
        if crop is None:
            continue
        for scale in SCALES:
            x = 0.5 + scale * torch.randn((1, *PIXELS.shape), generator=generator)
            whole, part = x.clone().requires_grad_(), crop.cut(x).clone().requires_grad_()
            value = plain(network.normalise(whole))[0, 1, place[0], place[1]]
            units = crop.units((Neuron(layer.name, 1, place),), network.device)
            inside = network.activation(part, units)
            (gradient,) = torch.autograd.grad(value, whole)
            (slope,) = torch.autograd.grad(inside.sum(), part)
            torch.testing.assert_close(inside[0], value, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(slope, crop.cut(gradient), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("scale_factor", [1.5, 2.0])
def test_a_layer_that_is_silent_on_noise_has_no_crop_that_is_wrong(scale_factor):
    """Interpolation inside of `vmap` cannot be followed: the field is measured."""

    def enlarge(image):
        options = {"scale_factor": scale_factor, "mode": "bilinear"}
        return torch.nn.functional.interpolate(image[None], **options)[0]

    def silent():
        net = Between(nn.Sequential(Vmapped(enlarge), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU()))
        net.between[1].bias.data.fill_(-30.0)
        return net.between

    first = nn.Conv2d(3, 8, 3, padding=1)
    network, plain = opened(lambda: nn.Sequential(first, *silent()))
    layer = network.layers[-1]
    assert network.listing.footprints[layer.name] is None
    for place in places_of(layer):
        crop = network.crop(layer.name, place)
        x = 0.5 + 50 * torch.rand((4, *PIXELS.shape), generator=torch.Generator().manual_seed(1))
        values = plain(network.normalise(x))[:, :, place[0], place[1]]
        assert values.any()
        if crop is not None:
            units = crop.units((Neuron(layer.name, 2, place),) * 4, network.device)
            torch.testing.assert_close(network.activation(crop.cut(x), units), values[:, 2])
