"""The discriminator's learner: a pure step that can be copied, stored and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional

from ldam_studio.errors import StudioError
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.networks.models.dropout import SeededDropout, use_generator
from ldam_studio.training import learner
from ldam_studio.training.data import load_digits_sheet
from ldam_studio.training.learner import (
    Denoising,
    LearnerState,
    from_tensors,
    learn,
    learn_from_pool,
)

REAL = load_digits_sheet().images[::10]


def discriminator(layout: torch.memory_format = torch.contiguous_format) -> DigitDiscriminator:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return DigitDiscriminator().to(memory_format=layout)


def fakes(seed: int, count: int = 10) -> Tensor:
    return torch.rand((count, 1, 28, 28), generator=torch.Generator().manual_seed(seed))


def learned(rounds: int, seed: int = 5, state: LearnerState | None = None) -> LearnerState:
    state = learner.start(discriminator(), seed) if state is None else state
    for _ in range(rounds):
        state, _ = learn(state, REAL, fakes(state.rounds))
    return state


def same(a: LearnerState, b: LearnerState) -> bool:
    left, right = a.tensors(), b.tensors()
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def test_same_seed_gives_the_same_bits() -> None:
    assert same(learned(3), learned(3))
    assert not same(learned(3), learned(3, seed=6))


def test_does_not_touch_the_global_generator() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    learned(1)
    assert torch.equal(torch.rand(3), expected)


def test_leaves_what_it_started_from_as_it_was() -> None:
    module = discriminator()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state, _ = learn(learner.start(module, 0), REAL, fakes(0))
    assert all(torch.equal(before[n], v) for n, v in module.state_dict().items())
    assert not torch.equal(state.module.state_dict()["body.0.weight"], before["body.0.weight"])


def test_between_rounds_the_module_is_frozen_and_evaluates() -> None:
    state = learned(1)
    assert not state.module.training
    assert not any(p.requires_grad or p.grad is not None for p in state.module.parameters())
    assert torch.equal(state.module(fakes(0)), state.module(fakes(0)))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_clone_goes_on_alike_and_on_its_own(layout: torch.memory_format) -> None:
    state = learned(2, state=learner.start(discriminator(layout), 5))
    clone = state.clone()
    kept = clone.tensors()
    learned(2, state=state)
    assert all(torch.equal(kept[name], value) for name, value in clone.tensors().items())
    assert same(learned(2, state=clone), state)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_what_was_stored_goes_on_with_the_same_bits(layout: torch.memory_format) -> None:
    state = learned(25, state=learner.start(discriminator(layout), 5))
    stored = load(save(state.tensors()))
    again = from_tensors(discriminator(layout), stored)
    assert same(again, state) and again.rounds == 25
    assert len(again.recent) == learner.RECENT_ROUNDS
    assert same(learned(2, state=again), learned(2, state=state))


def test_a_learner_that_has_not_learned_can_be_stored() -> None:
    state = learner.start(discriminator(), 5)
    assert same(learned(2, state=state.clone()), learned(2, state=state))


@pytest.mark.parametrize("name", ["rounds", "scores", "generator.dropout", "module.body.0.weight"])
def test_an_incomplete_snapshot_is_one_sentence(name: str) -> None:
    tensors = learned(1).tensors()
    del tensors[name]
    with pytest.raises(StudioError) as raised:
        from_tensors(discriminator(), tensors)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_a_snapshot_of_another_architecture_is_refused() -> None:
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(784, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.dense(x.flatten(1)).squeeze(1)

    with pytest.raises(StudioError, match="another discriminator"):
        from_tensors(Small(), learned(1).tensors())
    state, info = learn(learner.start(Small(), 0), REAL, fakes(0))
    assert info.rounds == 1 and same(state.clone(), state)


def test_sources_do_not_move_each_other() -> None:
    """Another number of generated images changes what is drawn of them, and nothing else."""
    few, _ = learn(learner.start(discriminator(), 5), REAL, fakes(0, 3))
    many, _ = learn(learner.start(discriminator(), 5), REAL, fakes(0, 30))
    for name in ("real", "noise", "dropout"):
        assert torch.equal(few.generators[name].get_state(), many.generators[name].get_state())


def test_learns_to_tell_noise_from_digits() -> None:
    state, info = learn(learner.start(discriminator(), 0), REAL, fakes(0))
    first = info.real_probability - info.fake_probability
    for number in range(30):
        state, info = learn(state, REAL, fakes(number))
    assert info.rounds == 31 and info.real_probability - info.fake_probability > first + 0.3
    assert not info.collapsed
    with torch.no_grad():
        assert float(state.module(REAL.float() / 255).mean()) > float(
            state.module(fakes(99)).mean()
        )


def test_real_images_may_be_bytes_or_pixels() -> None:
    a, _ = learn(learner.start(discriminator(), 0), REAL, fakes(0))
    b, _ = learn(learner.start(discriminator(), 0), REAL.float() / 255, fakes(0))
    assert same(a, b)


def test_remembers_the_last_rounds_only() -> None:
    state = learned(learner.RECENT_ROUNDS + 3)
    assert len(state.recent) == learner.RECENT_ROUNDS
    assert torch.equal(state.recent[-1], fakes(learner.RECENT_ROUNDS + 2))


def test_what_is_remembered_does_not_move_with_the_chains() -> None:
    x = fakes(0)
    state, _ = learn(learner.start(discriminator(), 0), REAL, x)
    x.zero_()
    assert float(state.recent[0].sum()) > 0


def test_draws_from_the_pool_in_the_asked_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    step: Callable = learner.step

    def watch(
        module: Any, optimiser: Any, noise: Any, real: Tensor, fake: Tensor, *others: Any
    ) -> Any:
        seen.append(fake)
        return step(module, optimiser, noise, real, fake, *others)

    monkeypatch.setattr(learner, "step", watch)
    pool = torch.stack([torch.full((1, 28, 28), value) for value in (0.0, 0.5, 1.0)])
    state = learner.start(discriminator(), 0)
    for _ in range(10):
        state, _ = learn_from_pool(state, REAL, pool, torch.tensor([0.0, 1.0, 3.0]))
    values = torch.cat(seen)[:, 0, 0, 0]
    assert not (values == 0).any()
    assert abs(float((values == 1).float().mean()) - 0.75) < 0.05


def test_each_image_gets_instance_noise_of_its_own_size() -> None:
    shown: list[Tensor] = []
    module = discriminator()
    module.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    grey = torch.full((4, 1, 28, 28), 0.5)
    learn_from_pool(learner.start(module, 0), grey, grey, batch=20, steps=1, noises=(0.0, 0.4))
    (images,) = shown
    sizes = (images - 0.5).flatten(1).std(1)
    assert 0 <= float(sizes.min()) < 0.1 and 0.3 < float(sizes.max()) < 0.45
    assert len(sizes.unique()) == 40


def way_back(state: LearnerState, size: float = 0.3) -> float:
    """Return the mean cosine of the gradient at noisy digits to the way back to them."""
    real = REAL[:64].float() / 255
    noise = torch.randn(real.shape, generator=torch.Generator().manual_seed(2))
    noisy = (real + size * noise).requires_grad_(True)
    (pull,) = torch.autograd.grad(state.module(noisy).sum(), noisy)
    return float(-functional.cosine_similarity(pull.flatten(1), noise.flatten(1)).mean())


@pytest.mark.thorough
def test_its_gradient_learns_the_way_back_from_noise() -> None:
    def taught(denoising: Denoising | None) -> LearnerState:
        state = learner.start(discriminator(), 1)
        for _ in range(8):
            state, _ = learn_from_pool(state, REAL, fakes(3), rate=2e-3, denoising=denoising)
        return state

    denoising = Denoising(1.0, (0.1, 0.5), batch=24)
    state = taught(denoising)
    assert way_back(state) > 0.35 > 0.2 > way_back(taught(None))
    assert same(state, taught(denoising))


@pytest.mark.thorough
def test_a_dead_discriminator_is_noticed() -> None:
    dead = discriminator()
    with torch.no_grad():
        for parameter in dead.parameters():
            parameter.zero_()
    state = learner.start(dead, 0)
    for parameter_group in state.optimiser.param_groups:
        parameter_group["lr"] = 0.0
    noticed = []
    for number in range(learner.COLLAPSE_ROUNDS + 1):
        state, info = learn(state, REAL, fakes(number, 2))
        noticed.append(info.collapsed)
    assert noticed == [False] * (learner.COLLAPSE_ROUNDS - 1) + [True, True]


def test_dropout_draws_from_its_own_generator_and_only_in_training() -> None:
    layer, ones = SeededDropout(0.5), torch.ones(1000)
    assert torch.equal(layer.eval()(ones), ones)
    with pytest.raises(RuntimeError, match="generator"):
        layer.train()(ones)
    layer.generator = torch.Generator().manual_seed(0)
    dropped = layer(ones)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert abs(float(dropped.mean()) - 1) < 0.15
    assert "0.5" in repr(layer)
    assert torch.equal(SeededDropout(0.0).train()(ones), ones)


def test_a_discriminator_hands_its_generator_to_every_dropout() -> None:
    module, generator = discriminator(), torch.Generator()
    use_generator(module, generator)
    owners = [m.generator for m in module.modules() if isinstance(m, SeededDropout)]
    assert owners == [generator, generator]
    assert module.train()(fakes(0)).shape == (10,)


@pytest.mark.parametrize(("name", "value"), [("step", -1.0), ("exp_avg", 0.0), ("exp_avg_sq", 0.0)])
def test_an_optimiser_that_could_not_go_on_is_refused(name: str, value: float) -> None:
    tensors = learned(1).tensors()
    tensors[f"optimiser.0.{name}"] = torch.tensor(value)
    with pytest.raises(StudioError, match="cannot continue learning"):
        from_tensors(discriminator(), tensors)
