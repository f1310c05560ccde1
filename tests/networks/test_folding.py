"""A network whose batch norms are folded is, at every layer, what it was."""

import copy

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.folding import fold
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.norm(self.conv(x))).mean((2, 3)))


class Residual(Plain):
    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False)
        self.inner_norm = nn.BatchNorm2d(8, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        x = x + self.inner_norm(self.inner(self.relu(x)))
        return self.head(x.mean((2, 3)))


class Elsewhere(Plain):
    """The convolution's output goes past the norm too."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.head((self.norm(y) + y).mean((2, 3)))


class Shared(Plain):
    """One convolution, two norms."""

    def __init__(self):
        super().__init__()
        self.other = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.norm(self.conv(x)) + self.other(self.conv(x))).mean((2, 3)))


class Uncopyable(Plain):
    def __deepcopy__(self, memo):
        raise RuntimeError("no copies")


def made(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    module = kind()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias)
    return module.eval()


def at(module: nn.Module, layer: Layer, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's output, and the gradient of its randomly weighted sum."""
    seen: list[Tensor] = []
    handle = module.get_submodule(layer.path).register_forward_hook(
        lambda _part, _given, output: seen.append(output.clone())
    )
    leaf = x.clone().requires_grad_(True)
    module((leaf - 0.5) / 0.25)
    handle.remove()
    output = seen[layer.call - 1]
    weights = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
    (gradient,) = torch.autograd.grad((output * weights).sum(), leaf)
    return output.detach(), gradient


@pytest.mark.parametrize("kind", [Plain, Residual, Elsewhere, Shared, Uncopyable])
def test_every_layer_has_the_value_and_gradient_that_it_had(kind):
    plain = made(kind)
    pixels = PixelSpec(3, 12, 14, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    reference = made(kind)
    network = Network("mine", plain, pixels)
    x = torch.rand((2, 3, 12, 14), generator=torch.Generator().manual_seed(3))
    for layer in network.layers:
        value, gradient = at(reference, layer, x)
        leaf = x.clone().requires_grad_(True)
        output = network.output(leaf, layer.name)
        weights = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
        (ours,) = torch.autograd.grad((output * weights).sum(), leaf)
        torch.testing.assert_close(output.detach(), value, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours, gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "norms"), [(Plain, 0), (Residual, 0), (Elsewhere, None), (Shared, None)]
)
def test_norms_are_folded_only_where_that_changes_nothing_else(kind, norms):
    folded = fold(made(kind), torch.rand(1, 3, 12, 14))
    if norms is None:
        assert folded is None
    else:
        left = [part for part in folded.module.modules() if isinstance(part, nn.BatchNorm2d)]
        assert len(left) == norms
        assert "conv" not in folded.layers
        assert {"norm", "head"} <= folded.layers


def test_the_copy_shares_what_it_does_not_change():
    module = made(Plain)
    before = copy.deepcopy(module.state_dict())
    folded = fold(module, torch.rand(1, 3, 12, 14))
    assert folded.module.head.weight is module.head.weight
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(part._forward_hooks for part in module.modules())
    assert not any(part._forward_hooks for part in folded.module.modules())
