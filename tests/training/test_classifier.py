"""Training of classifiers: the same bits from the same seed, and averages that are means."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ldam_studio.errors import StudioError
from ldam_studio.networks.models.judges import DigitJudge
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.training import classifier
from ldam_studio.training import classifier_recipes as recipes
from ldam_studio.training.averaging import ParameterAverage, PredictionAverage
from ldam_studio.training.data import Digits
from ldam_studio.training.resume import load_run, save_run
from synthetic import bars

RECIPE = replace(recipes.LENET_RECIPE, batch=50, epochs=3, average_epochs=2)


def digits(count: int = 210) -> Digits:
    images, labels = bars(count, 0)
    return Digits(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())


def trained(seed: int, recipe: recipes.ClassifierRecipe = RECIPE, make=LeNet5):
    run = classifier.start(make, recipe, seed)
    for _ in classifier.train(run, recipe, digits()):
        pass
    return run


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("make", "recipe"),
    [(LeNet5, RECIPE), (DigitJudge, replace(recipes.JUDGE_RECIPE, batch=50, epochs=1))],
)
def test_same_seed_gives_the_same_bits(make, recipe) -> None:
    first, torch_draw = trained(3, recipe, make), torch.rand(1)
    second = trained(3, recipe, make)
    assert same(first.module.state_dict(), second.module.state_dict())
    assert not same(first.module.state_dict(), trained(4, recipe, make).module.state_dict())
    assert torch_draw.shape == (1,)


def test_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    trained(3)
    assert torch.equal(torch.rand(3), expected)


def test_averages_the_parameters_of_the_steps_of_the_last_epochs() -> None:
    seen = []
    run = classifier.start(LeNet5, RECIPE, 1)

    def remember(run: classifier.ClassifierRun) -> None:
        seen.append(run.module.state_dict()["fc3.bias"].double().clone())

    for _ in classifier.train(run, RECIPE, digits(), remember):
        pass
    assert len(seen) == run.step == 3 * 4 and run.average.count == 2 * 4
    expected = torch.stack(seen[4:]).mean(0).float()
    torch.testing.assert_close(run.average.state_dict()["fc3.bias"], expected, rtol=0, atol=1e-7)


def test_learns_what_is_easy() -> None:
    recipe = replace(RECIPE, batch=20, epochs=6)
    run = trained(0, recipe)
    accuracy = classifier.accuracy(classifier.predict(run.module, digits()), digits().labels)
    assert accuracy > 0.9


def test_stops_between_steps_when_told_to() -> None:
    run = classifier.start(LeNet5, RECIPE, 1)

    def stop(run: classifier.ClassifierRun) -> None:
        if run.step == 6:
            raise KeyboardInterrupt

    finished = []
    with pytest.raises(KeyboardInterrupt):
        for epoch in classifier.train(run, RECIPE, digits(), stop):
            finished.append(epoch.epoch)
    assert finished == [1] and run.step == 6


def test_goes_on_in_the_middle_of_an_epoch_to_the_same_weights(tmp_path) -> None:
    path = tmp_path / "run"
    recipe = replace(RECIPE, shift=1)  # which draws between the batches

    def stop(run: classifier.ClassifierRun) -> None:
        if run.step == 6:
            save_run(run, recipe, path, {"told": 1.5})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(classifier.train(classifier.start(LeNet5, recipe, 3), recipe, digits(), stop))
    run = classifier.start(LeNet5, recipe, 99)
    assert load_run(run, recipe, path) == {"told": 1.5}
    assert (run.epoch, run.step, run.done) == (1, 6, 2)
    for _ in classifier.train(run, recipe, digits()):
        pass
    whole = trained(3, recipe)
    assert same(run.module.state_dict(), whole.module.state_dict())
    assert same(run.average.state_dict(), whole.average.state_dict())
    assert run.loss == whole.loss


def test_a_learning_rate_set_by_hand_takes_the_place_of_the_schedule() -> None:
    run = classifier.start(LeNet5, RECIPE, 1)
    run.rate = 0.0
    before = {name: value.clone() for name, value in run.module.state_dict().items()}
    next(classifier.train(run, RECIPE, digits()))
    assert same(before, run.module.state_dict())


def test_a_batch_that_cannot_be_filled_is_refused() -> None:
    with pytest.raises(StudioError, match="20 training images do not fill one batch of"):
        next(classifier.train(classifier.start(LeNet5, RECIPE, 0), RECIPE, digits(20)))


def test_fewer_epochs_average_fewer() -> None:
    assert recipes.LENET_RECIPE.with_epochs(3).average_epochs == 3
    assert recipes.LENET_RECIPE.with_epochs(20).average_epochs == 5


def test_averages_of_nothing_are_refused() -> None:
    for empty in (ParameterAverage().state_dict, PredictionAverage().probabilities):
        with pytest.raises(ValueError, match="to average yet"):
            empty()


def test_averaging_leaves_counters_whole() -> None:
    average, module = ParameterAverage(), torch.nn.BatchNorm1d(2)
    for value in (1, 2):
        module.num_batches_tracked.fill_(value)
        module.weight.data.fill_(value)
        average.update(module)
    state = average.state_dict()
    assert state["num_batches_tracked"].item() == 2 and state["weight"].tolist() == [1.5, 1.5]
    module.load_state_dict(state)


def test_predictions_are_averaged_as_probabilities() -> None:
    average = PredictionAverage()
    average.update(torch.tensor([[0.0, 0.0]]))
    average.update(torch.tensor([[100.0, 0.0]]))
    torch.testing.assert_close(
        average.probabilities(), torch.tensor([[0.75, 0.25]], dtype=torch.float64)
    )


def test_products_in_bfloat16_leave_float32_parameters_and_learn() -> None:
    whole, half = (trained(3, replace(RECIPE, epochs=1, bfloat16=on)) for on in (False, True))
    weights = half.module.state_dict()
    assert all(value.dtype == torch.float32 for value in weights.values())
    assert not same(whole.module.state_dict(), weights)
    assert half.loss == pytest.approx(whole.loss, rel=0.1)
    assert "bfloat16" in replace(RECIPE, bfloat16=True).describe()
