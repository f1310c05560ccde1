"""A judge of the same classes names the averages; one of other classes is refused."""

import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.explore.classes import probabilities
from ldam_studio.explore.verdict.judge import (
    as_shown_to,
    judge_of,
    own_judge,
    shipped_judge,
)
from ldam_studio.explore.verdict.verdict import Rounds, averages_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet

GREY = PixelSpec(1, 8, 8, (0.0,), (1.0,))
COLOUR = PixelSpec(3, 8, 8, (0.0,) * 3, (1.0,) * 3)


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


def linear(labels, classes=None, pixels=GREY, softmax=False, scale=20):
    """Return a network whose class n looks at pixel n."""
    count, size = classes or len(labels), pixels.channels * pixels.height * pixels.width
    layer = nn.Linear(size, count, bias=False)
    with torch.no_grad():
        layer.weight.copy_(scale * torch.eye(count, size))
    parts = [nn.Flatten(), layer, *([nn.Softmax(1)] if softmax else [])]
    return Network("mine", nn.Sequential(*parts), pixels, tuple(labels))


def bright(number, pixels=GREY):
    x = torch.zeros(1, *pixels.shape)
    x.view(1, -1)[0, number] = 1
    return x


def test_probabilities_whether_a_network_ends_in_softmax_or_not():
    plain, squashed = (linear("abc", softmax=softmax) for softmax in (False, True))
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(probabilities(plain, x), probabilities(squashed, x))
    torch.testing.assert_close(probabilities(plain, x).sum(1), torch.ones(4))


def test_labels_in_another_order_are_matched_by_name():
    explained = linear(["Cat", "great_dog", "owl"])
    judge = linear(["owl", "cat", "great dog"], scale=10)
    found = judge_of(explained, judge)
    assert found.order == (1, 2, 0) and not found.is_same
    # The judge's class 0, owl, is our class 2.
    assert found.probabilities(bright(0), GREY)[0].argmax() == 2


@pytest.mark.parametrize(
    ("explained", "judge", "words"),
    [
        (linear("abc"), linear("abcd"), "has 4 classes, but mine has 3"),
        (linear("abc"), linear("abx"), "names other classes: it has no c"),
        (linear("abb"), linear("bba"), "names other classes"),
        (linear("abc"), linear("abc", pixels=PixelSpec(4, 8, 8, (0.0,) * 4, (1.0,) * 4)), "4 chan"),
    ],
)
def test_a_judge_of_other_classes_is_refused_in_a_sentence(explained, judge, words):
    with pytest.raises(StudioError, match=words):
        judge_of(explained, judge)


def test_names_are_not_needed():
    assert judge_of(linear("abc"), linear((), classes=3)).labels == ("a", "b", "c")
    assert judge_of(linear((), classes=3), linear("abc")).order == (0, 1, 2)


def test_the_explained_network_itself_is_no_judge(lenet):
    assert own_judge(lenet).is_same
    assert judge_of(lenet, open_network("lenet")).is_same
    assert not judge_of(lenet, open_network("lenet-averaged")).is_same


def test_images_are_shown_as_the_judge_takes_them():
    bytes_in_bgr = PixelSpec(3, 4, 4, (0.0,) * 3, (1.0,) * 3, maximum=255.0, shown=(2, 1, 0))
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 1.5  # brighter than any photograph
    shown = as_shown_to(bytes_in_bgr, red, COLOUR)
    assert shown.shape == (1, 3, 4, 4)
    assert shown[0, :, 0, 0].tolist() == pytest.approx([0, 0, 255])
    back = as_shown_to(COLOUR, shown, bytes_in_bgr)
    assert back[0, :, 0, 0].tolist() == pytest.approx([1, 0, 0])
    grey = as_shown_to(GREY, red, COLOUR)
    assert grey.shape == (1, 1, 8, 8) and grey[0, 0, 0, 0].item() == pytest.approx(0.299)
    coloured = as_shown_to(COLOUR, torch.full((2, 1, 8, 8), 0.5), GREY)
    assert coloured.shape == (2, 3, 8, 8) and coloured.unique().tolist() == [0.5]


def test_the_shipped_judge_knows_digits(lenet):
    judge = shipped_judge(lenet)
    sheet = load_digits_sheet()
    x, labels = sheet.images[::50].float() / 255, sheet.labels[::50]
    named = judge.probabilities(x, lenet.pixels).argmax(1)
    assert (named == labels).float().mean() > 0.97
    assert not judge.is_same and shipped_judge(linear("abc")) is None


def session(network, neurons, **settings):
    return open_session(
        SessionSpec(network, neurons, Settings.of(**settings), device=Device("cpu", "float32", 1))
    )


def test_a_verdict_over_all_chains(lenet):
    state = session(lenet, lenet.default_neurons(10))
    rounds = Rounds(own_judge(lenet), clock=lambda: 0.0)
    nothing = rounds.verdict(averages_of(state, 0))
    assert nothing.top == () and nothing.share is None
    assert nothing.line == "No sample has been averaged yet."
    for _ in range(30):
        state, _ = advance(state)
    found = rounds.verdict(averages_of(state, 4))
    assert found.judged == 10 and found.line.startswith("This network only: ")
    means = probabilities(lenet, state.lane.shown_average().mean.clamp(0, 1))
    assert found.hits == int((means.argmax(1) == torch.arange(10)).sum())
    assert found.top[0][0] == str(int(means[4].argmax()))
    assert found.is_right == (int(means[4].argmax()) == 4)
    assert found.share.low <= found.hits / 10 <= found.share.high
    assert f"{found.hits} of 10 averages are named as their neuron's class" in found.over_chains


@pytest.mark.parametrize(
    ("settings", "judged"),
    [({"tempering": 3, "mode": "exact"}, 2), ({"average_over": "both"}, 1)],
)
def test_an_average_that_several_chains_show_counts_once(lenet, settings, judged):
    state = session(lenet, (Neuron("fc3", 4),) * 6, **settings)
    for _ in range(3):
        state, _ = advance(state)
    found = Rounds(own_judge(lenet), clock=lambda: 0.0).verdict(averages_of(state, 1))
    assert found.judged == judged and found.top


def test_wilson_of_seven_in_ten():
    from ldam_studio.explore.intervals import share_of

    found = share_of(7, 10)
    assert (found.low, found.high) == pytest.approx((0.397, 0.892), abs=1e-3)


def test_chains_are_judged_in_turns_and_anew_after_they_turned(lenet):
    state = session(lenet, lenet.default_neurons(10))
    for _ in range(5):
        state, _ = advance(state)
    times = iter(range(0, 10_000))
    rounds = Rounds(own_judge(lenet), clock=lambda: next(times) * 0.1)  # a slow judge
    judged = []
    for _ in range(6):
        averages = averages_of(snapshot(state), 0)
        judged.append(rounds.verdict(averages).judged)
    assert judged == [2, 4, 6, 8, 10, 10] and rounds.knows_all(averages)
    state, _ = advance(state, [Change("neurons", (Neuron("fc3", 3),))])
    state, _ = advance(state)
    averages = averages_of(state, 0)
    assert not rounds.knows_all(averages)
    assert rounds.verdict(averages).judged <= 3  # chain 3 has stayed on its neuron


def test_only_the_front_chain_is_judged_while_the_others_are_not_shown(lenet):
    state = session(lenet, lenet.default_neurons(10))
    for _ in range(5):
        state, _ = advance(state)
    rounds = Rounds(own_judge(lenet))
    alone = rounds.verdict(averages_of(state, 2), others=False)
    assert alone.top and alone.is_right is not None and alone.judged == 0


def test_hidden_neurons_have_no_class(lenet):
    state = session(lenet, tuple(Neuron("fc2", n) for n in range(3)))
    for _ in range(3):
        state, _ = advance(state)
    found = Rounds(own_judge(lenet)).verdict(averages_of(state, 0))
    assert found.share is None and found.over_chains == "" and found.top
    assert found.is_right is None


def test_a_judge_without_probabilities_says_so(lenet):
    judge = judge_of(
        lenet, Network("failing", nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), lenet.pixels)
    )
    images = torch.full((2, 1, 28, 28), 0.5)
    assert judge.probabilities(images, lenet.pixels).shape == (2, 10)
    for parameter in judge.network.module.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(StudioError, match="no probabilities"):
        judge.probabilities(images, lenet.pixels)
