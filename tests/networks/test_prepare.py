"""A prepared network computes what it computed before, faster."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ldam_studio.networks.prepare import Conv2d, prepare


def value_and_gradient(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = x.clone().requires_grad_(True)
    value = module(leaf)
    weights = torch.linspace(-1, 1, value.numel()).reshape(value.shape)
    (gradient,) = torch.autograd.grad((value * weights).sum(), leaf)
    return value.detach(), gradient


@settings(deadline=None, max_examples=40)
@given(
    channels=st.integers(1, 4),
    images=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    bias=st.booleans(),
)
def test_a_convolution_over_pixels_is_what_it_was(channels, images, kernel, stride, padding, bias):
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(channels, 6, kernel, stride, padding, bias=bias), nn.Conv2d(6, 2, 1)
    )
    ours = prepare(copy.deepcopy(plain))
    assert type(ours[0]) is Conv2d
    assert type(ours[1]) is nn.Conv2d
    x = torch.randn(images, channels, 9, 11)
    for mine, theirs in zip(value_and_gradient(ours, x), value_and_gradient(plain, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "part",
    [
        nn.Conv2d(3, 6, 3, groups=3),
        nn.Conv2d(3, 6, 3, dilation=2),
        nn.Conv2d(3, 6, 3, padding="same"),
        nn.Conv2d(3, 6, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(5, 6, 3),
        nn.Linear(3, 6),
    ],
    ids=["grouped", "dilated", "same", "reflect", "many channels", "no convolution"],
)
def test_what_the_kernel_cannot_do_is_left_alone(part):
    module = nn.Sequential(part)
    assert type(prepare(module)[0]) is type(part)


def test_a_prepared_module_is_frozen_and_its_copy_can_learn():
    module = prepare(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)))
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())
    learner = copy.deepcopy(module).requires_grad_(True)
    learner(torch.ones(1, 1, 4, 4)).sum().backward()
    assert learner[0].weight.grad.abs().sum() > 0


def test_half_precision_goes_the_usual_way():
    module = prepare(nn.Sequential(nn.Conv2d(1, 2, 3)))
    with torch.autocast("cpu", torch.bfloat16):
        assert module(torch.ones(1, 1, 4, 4)).dtype == torch.bfloat16
