"""The terms of the log-density: values and gradients belong together, and a new one is a row."""

from __future__ import annotations

import pytest
import torch

from kernel_steps import density_of, linear, run
from ldam_studio.sampler import prepare
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.terms import TERMS
from ldam_studio.sampler.terms.term import Term

X = torch.randn((3, 2, 4, 5), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
DENSITY = density_of(
    value_and_gradient(lambda x: x.sin().flatten(1).sum(1)),
    value_and_gradient(lambda x: x.cos().flatten(1).sum(1)),
    rest=0.3,
)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_the_gradient_is_that_of_the_value(term):
    gradient = term.gradient(X, DENSITY)
    width = 1e-6
    for at in [(0, 0, 0), (1, 3, 4), (0, 2, 1)]:
        moved = torch.zeros_like(X)
        moved[(slice(None), *at)] = width
        rise = term.value(X + moved, DENSITY) - term.value(X - moved, DENSITY)
        torch.testing.assert_close(rise / (2 * width), gradient[(slice(None), *at)])
    value, same = term.evaluate(X, DENSITY, valued=True)
    torch.testing.assert_close(value, term.value(X, DENSITY))
    assert torch.equal(same, gradient)


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
