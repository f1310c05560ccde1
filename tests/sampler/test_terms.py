"""Every term of the log-density: its gradient is that of its value; a new one is a row."""

from __future__ import annotations

import pytest
import torch

from kernel_steps import linear, run
from ldam_studio.sampler import prepare
from ldam_studio.sampler.density import Density
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.terms import TERMS, Term

CLOSED = [term for term in TERMS if term.source is None and term.has_value]


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


def test_a_term_without_weight_is_not_evaluated_and_the_activation_always_is():
    def names(**settings):
        return [w.term.name for w in parameters_of(Settings.of(**settings), 2).terms]

    assert names(l2=0) == ["activation"]
    assert names(l2=(0, 0.1), smoothness=1) == ["activation", "l2", "smoothness"]
    assert names(l2=0, discriminator_weight=1) == ["activation", "discriminator"]


@pytest.mark.parametrize("kernel", ["langevin", "underdamped", "mala"])
def test_a_further_term_is_one_more_row(kernel, monkeypatch):
    class Towards(Term):
        """-smoothness |x - 1|^2 / 2, in the place of a setting of its own."""

        name = "towards"
        setting = "smoothness"

        def factor(self, weight):
            return -weight

        def value(self, x, density):
            return (x - 1).square().flatten(1).sum(1) / 2

        def gradient(self, x, density):
            return x - 1

    monkeypatch.setattr(prepare, "TERMS", (TERMS[0], Towards()))
    settings = Settings.of(
        mode="exact", kernel=kernel, step_size=0.2, temperature=1e-4, smoothness=2, l2=0
    )
    state, _ = run(torch.zeros(2, 1, 2, 2), 100, settings, linear(torch.zeros(1, 2, 2)))
    torch.testing.assert_close(state.x, torch.ones(2, 1, 2, 2), atol=0.1, rtol=0)
