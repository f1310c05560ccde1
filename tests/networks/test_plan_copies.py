"""Every plan of execution computes what the untouched module computes."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import (
    BFLOAT16,
    CHANNELS_LAST,
    CONTIGUOUS,
    FIRST_LAYERS,
    FLOAT32,
    FORMER,
    PLAIN,
    Plan,
)
from ldam_studio.networks.prepare import Conv2d, prepared
from small_networks import Residual

PLANS = [
    Plan(precision, layout=layout, first_layers=first, folded=folded)
    for precision, layout, first, folded in itertools.product(
        (FLOAT32, BFLOAT16), (CONTIGUOUS, CHANNELS_LAST), FIRST_LAYERS, (True, False)
    )
]
HALF = Plan(BFLOAT16, layout=CHANNELS_LAST)
PIXELS = PixelSpec(3, 16, 16, mean=(0.5,) * 3, std=(0.25,) * 3)


class View(nn.Module):
    """Flattens with `view`, which takes no channels-last tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)
        self.head = nn.Linear(4 * 12 * 12, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(x).tanh()).view(len(x), -1))


class Deep(nn.Module):
    """Has weights and images in five dimensions, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.deep = nn.Conv2d(3, 8, 3), nn.Conv3d(1, 4, 3)
        self.register_buffer("shift", torch.linspace(0, 1, 4).reshape(1, 4, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (self.deep(self.first(x)[:, None]) + self.shift).tanh().mean((2, 3, 4))


class Recurrent(nn.Module):
    """Reads rows of pixels one after the other, with two layers that have one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.LSTM(48, 8, batch_first=True)
        self.one, self.other = nn.Linear(8, 8), nn.Linear(8, 8)
        self.other.weight = self.one.weight

    def forward(self, x: Tensor) -> Tensor:
        rows = self.read(x.movedim(1, 2).flatten(2))[0][:, -1]
        return self.other(self.one(rows).tanh())


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.GELU(),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(8),
        nn.Flatten(),
        nn.Linear(8 * 49, 5),
    )


def residual() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), Residual(8), nn.AdaptiveAvgPool2d(1), nn.Flatten())


MODULES = {"view": View, "deep": Deep, "recurrent": Recurrent, "normed": normed, "skip": residual}


def network(make) -> Network:
    torch.manual_seed(0)
    module = make()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    return Network("mine", module, PIXELS)


def gradient(mine: Network, plan: Plan, layer: str = "") -> tuple[Tensor, Tensor]:
    x = torch.rand(3, *PIXELS.shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
    layer = layer or mine.layers[-1].name
    units = mine.units(mine.spread(layer, 3))
    values = mine.activation(x, units, plan)
    return values.detach(), torch.autograd.grad(values.sum(), x)[0]


@pytest.mark.parametrize("name", MODULES)
def test_every_plan_gives_the_same_values_and_gradients(name):
    mine = network(MODULES[name])
    value, slope = gradient(mine, PLAIN)
    for plan in PLANS:
        if name == "view" and plan.layout == CHANNELS_LAST:
            with pytest.raises(RuntimeError, match="view size"):
                gradient(mine, plan)
            continue
        found, other = gradient(mine, plan)
        assert found.dtype == other.dtype == torch.float32 and other.is_contiguous()
        cosine = torch.cosine_similarity(slope.flatten(1), other.flatten(1))
        exact = plan.precision == FLOAT32
        assert cosine.min() > (1 - 1e-5 if exact else 0.99), plan
        torch.testing.assert_close(found, value, rtol=0, atol=1e-5 if exact else 0.03)


def test_inner_layers_are_computed_under_a_plan_too():
    mine = network(normed)
    for layer in ("0", "1", "3"):  # the first is no longer itself once its norm is folded
        _, slope = gradient(mine, PLAIN, layer)
        for plan in PLANS:
            _, other = gradient(mine, plan, layer)
            assert torch.cosine_similarity(slope.flatten(1), other.flatten(1)).min() > 0.99


def test_the_weights_are_in_bfloat16_once_and_no_cast_is_left_in_the_network():
    mine = network(normed)
    copy = mine.prepare_for(HALF, "6")
    seen = []
    for part in copy:
        part.register_forward_hook(lambda _part, _given, output: seen.append(output.dtype))
    gradient(mine, HALF)
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in copy.parameters()} == {torch.bfloat16}
    assert mine.prepare_for(HALF, "6") is copy
    assert {p.dtype for p in mine.module.parameters()} == {torch.float32}


def test_channels_last_stays_channels_last_through_pools_and_pointwise_operations():
    mine = network(lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)))
    for plan in (HALF, Plan(layout=CHANNELS_LAST, first_layers="onednn")):
        layouts = []
        for part in mine.prepare_for(plan, "2"):
            part.register_forward_hook(
                lambda _part, _given, output, layouts=layouts: layouts.append(
                    output.is_contiguous(memory_format=torch.channels_last)
                )
            )
        gradient(mine, plan)
        assert layouts == [True] * 3


def test_a_copy_shares_what_its_plan_leaves_as_it_is():
    mine = network(normed)
    copy = prepared(mine.module, Plan(layout=CHANNELS_LAST))
    assert copy[6].weight is mine.module[6].weight
    assert copy[1].running_mean is mine.module[1].running_mean
    tied = prepared(Recurrent().requires_grad_(False), HALF)
    assert tied.one.weight is tied.other.weight and tied.one.weight.dtype == torch.bfloat16


def test_whose_convolution_looks_at_pixels_is_part_of_the_plan():
    module = network(normed).module
    for first, kind in zip(FIRST_LAYERS, (Conv2d, nn.Conv2d), strict=True):
        assert type(prepared(module, Plan(layout=CONTIGUOUS, first_layers=first))[0]) is kind
    assert type(module[0]) is Conv2d


def test_a_twin_with_other_weights_has_copies_of_its_own():
    mine = network(normed)
    before, _ = gradient(mine, HALF)
    other = {name: value * 2 for name, value in mine.module.state_dict().items() if "6." in name}
    twin = mine.with_module(network(normed).module)
    twin.module.load_state_dict(mine.module.state_dict() | other)
    found, _ = gradient(twin, HALF)
    torch.testing.assert_close(found, 2 * before, rtol=0.02, atol=0.02)
    again, _ = gradient(mine, HALF)
    assert torch.equal(again, before)


def test_copies_that_are_not_kept_are_discarded():
    mine = network(normed)
    for plan in PLANS:
        gradient(mine, plan)
    mine.keep_copies("6", HALF)
    assert [plan for plan in PLANS if mine.is_prepared_for(plan, "6")] == [
        plan
        for plan in PLANS
        if (plan.layout, plan.precision, plan.first_layers, plan.folded)
        == (HALF.layout, HALF.precision, HALF.first_layers, HALF.folded)
    ]


def test_what_cannot_run_in_bfloat16_fails_without_harm():
    class Stubborn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.weights = torch.ones(4, 4, 3, 3)  # no buffer: nobody converts it

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.conv2d(self.first(x), self.weights).mean((2, 3))

    mine = network(Stubborn)
    before = gradient(mine, PLAIN)
    with pytest.raises(RuntimeError):
        gradient(mine, HALF)
    after = gradient(mine, PLAIN)
    assert torch.equal(before[1], after[1])
    gradient(mine, Plan(BFLOAT16, layout=FORMER))


def test_networks_for_other_sizes_of_images_run_the_same_copy():
    mine = network(residual)
    larger = mine.at_side(32)
    assert larger is not None and larger is not mine
    layer = mine.layers[-1].name
    assert larger.prepare_for(HALF, layer) is mine.prepare_for(HALF, layer)
    x = torch.rand(2, 3, 32, 32)
    found = larger.output(x, layer, HALF)
    torch.testing.assert_close(found, larger.output(x, layer), rtol=0.05, atol=0.05)
