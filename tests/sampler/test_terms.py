"""Every term of the log-density: its gradient is that of its value."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.terms import TERMS, Term

CLOSED = [term for term in TERMS if term.source is None]


@pytest.mark.parametrize("term", CLOSED, ids=lambda term: term.name)
def test_the_gradient_is_that_of_the_value(term: Term):
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(3, 2, 5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    density = Density(sources={}, rest=0.3)
    value = term.value(x, density)
    assert value.shape == (3,)
    (expected,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(term.gradient(x.detach(), density), expected)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_the_factor_has_a_value_for_each_chain(term: Term):
    weights = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1)
    assert term.factor(weights).shape == weights.shape
