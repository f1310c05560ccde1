"""How settled pixels are, against known variances."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.settled import CHAINS, SIGN, TIME, settled_of, settled_tensors
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler import average


@pytest.fixture
def lane_of(open_one):
    """Return a lane of three chains, two of them on one neuron, whose averages saw these images."""

    def make(*images):
        lane = open_one(chains=3).lane
        neurons = tuple(map(Neuron.parse, ("fc3:4", "fc3:7", "fc3:4")))
        lane = replace(lane, neurons=neurons)
        lane = replace(lane, targets=replace(lane.targets, groups=torch.tensor([0, 1, 0])))
        found = average.init(lane.chains.x)
        for image in images:
            found = average.update(found, image)
        return replace(lane, average=found)

    return make


def settled(lane, front, by):
    here = {name: value.numpy() for name, value in settled_tensors(lane, front, by).items()}
    return settled_of(here, by)


def test_over_time_it_is_the_standard_deviation_of_the_samples(lane_of):
    images = [
        torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(n)) for n in range(9)
    ]
    found = settled(lane_of(*images), 1, TIME)
    assert found.chains == 1
    assert np.allclose(found.values, torch.stack(images).std(0, correction=0)[1], atol=1e-5)


def test_between_chains_it_is_that_of_the_averages_of_one_neuron(lane_of):
    image = torch.zeros(3, 1, 28, 28)
    image[0], image[1], image[2] = 1.0, 50.0, 4.0
    found = settled(lane_of(image, image), 0, CHAINS)
    assert found.chains == 2
    assert np.allclose(found.values, 3 / 2**0.5)
    assert settled(lane_of(image), 1, CHAINS).values is None  # the only chain of its neuron


def test_a_sign_is_as_sure_as_a_normal_law_says(lane_of):
    image = torch.zeros(3, 1, 28, 28)
    image[0], image[2] = 1.0, 3.0  # centre 2, deviation sqrt 2: 2 Phi(sqrt 2) - 1
    found = settled(lane_of(image), 0, SIGN)
    assert np.allclose(found.values, 0.8427, atol=1e-4)
    image[2] = -3.0  # the others outweigh the sign that is shown
    assert np.all(settled(lane_of(image), 0, SIGN).values == 0)


def test_one_chain_has_the_signs_of_its_samples(lane_of):
    up, down = torch.full((3, 1, 28, 28), 2.0), torch.zeros(3, 1, 28, 28)
    found = settled(lane_of(up, down), 1, SIGN)  # centre 1, deviation 1: 2 Phi(1) - 1
    assert found.chains == 1
    assert np.allclose(found.values, 0.6827, atol=1e-4)


@pytest.mark.parametrize("by", [TIME, SIGN])
def test_one_sample_tells_nothing(lane_of, by):
    assert settled(lane_of(torch.ones(3, 1, 28, 28)), 1, by).values is None
    assert settled(lane_of(), 1, by).values is None


def frame_of(state, **request):
    return make_frame(
        state,
        FrameRequest(**request),
        number=1,
        infos=[],
        notices=[],
        steps_per_second=0.0,
        lesson=None,
        commands_seen=0,
    ).lanes[0]


def test_frames_have_it_only_if_they_are_asked(open_one, run):
    state, _ = run(open_one(burn_in=1), 6)
    before = state.lane.chains.x.clone()
    assert frame_of(state).settled is None
    found = frame_of(state, settled=TIME)
    assert found.settled.values.shape == (1, 28, 28)
    assert np.array_equal(found.average, frame_of(state).average)
    assert torch.equal(state.lane.chains.x, before)
