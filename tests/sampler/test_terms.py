"""Every term of the log-density: its gradient is that of its value; a new one is a row."""

from __future__ import annotations

import pytest
import torch

from kernel_steps import linear, run
from ldam_studio.sampler import prepare
from ldam_studio.sampler.density import Density
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.repelling import Repelling, directions_of
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.terms import TERMS, Term
from ldam_studio.sampler.terms.repulsion import Repulsion

CLOSED = [term for term in TERMS if term.source is None and term.has_value]


@pytest.mark.parametrize("term", CLOSED, ids=lambda term: term.name)
def test_the_gradient_is_that_of_the_value(term: Term):
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(3, 2, 5, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    kept = directions_of(torch.rand(2, 2, 5, 6, generator=generator), 0.3)
    density = Density(sources={}, rest=0.3, repelling=Repelling(kept, torch.ones(3, 2), 0.3))
    value = term.value(x, density)
    assert value.shape == (3,)
    (expected,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(term.gradient(x.detach(), density), expected)


@pytest.mark.parametrize("field_size", [None, torch.tensor([24, 24, 12])])
def test_the_repulsion_pushes_away_from_what_is_alike(field_size):
    """Its gradient is that of its value, and stays inside each chain's receptive field."""
    generator = torch.Generator().manual_seed(4)
    pictures = torch.rand(2, 2, 5, 6, generator=generator, dtype=torch.float64)
    window = None
    if field_size is not None:
        window = torch.zeros(3, 1, 5, 6)
        window[:, :, :3, :4] = 1
        window[2, :, :, 2:] = 0
    near = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    towards = directions_of(pictures, 0.3, None if window is None else window[:2])
    repelling = Repelling(towards, near, 0.3, window)
    density = Density(sources={}, rest=0.3, field_size=field_size, repelling=repelling)
    x = (0.3 + towards[[0, 1, 0]] + 0.1 * torch.rand(3, 2, 5, 6, generator=generator)).double()
    x.requires_grad_()
    term = Repulsion()
    value = term.value(x, density)
    assert (value > 0).all()
    (expected,) = torch.autograd.grad(value.sum(), x)
    gradient = term.gradient(x.detach(), density)
    torch.testing.assert_close(gradient, expected)
    if window is not None:
        assert not gradient[(window == 0).expand_as(gradient)].any()
    further = x.detach() - 1e-3 * gradient
    assert (term.value(further, density) < value).all()


def test_the_repulsion_has_a_closed_form():
    """A picture is at a cosine of 1 from itself, its negative and what is only brighter are not."""
    picture = torch.zeros(1, 1, 2, 2, dtype=torch.float64)
    picture[0, 0, 0, 0], picture[0, 0, 1, 1] = 1, -1
    near = torch.ones(4, 1)
    repelling = Repelling(directions_of(picture + 0.7, 0.5), near, 0.5)
    density = Density(sources={}, rest=0.5, repelling=repelling)
    x = 0.5 + torch.cat([100 * picture, -picture, torch.full_like(picture, 3), 0 * picture])
    value = Repulsion().value(x, density)
    torch.testing.assert_close(value, torch.tensor([2.0, 0, 0, 0]).double(), atol=1e-4, rtol=0)


def test_what_has_no_contrast_and_what_is_not_there_repels_nothing():
    x = torch.rand(2, 1, 3, 3)
    flat = Repelling(directions_of(torch.full((1, 1, 3, 3), 0.9), 0.5), torch.ones(2, 1), 0.5)
    for density in (Density({}, rest=0.5), Density({}, rest=0.5, repelling=flat)):
        assert not Repulsion().value(x, density).any()
        assert not Repulsion().gradient(x, density).any()
    assert not Repulsion().is_in(Density({}))


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
