"""A photograph that is pushed to a class is named so by the network, and stays near."""

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.explore.classes import probabilities
from ldam_studio.explore.photograph.pushing import STEPS, neuron_called, push_settings
from ldam_studio.gui.photograph.looking import Now
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.stability import largest_stable
from ldam_studio.training.data import load_digits_sheet


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


def pushed(network, picture, neuron, steps):
    spec = SessionSpec(
        network,
        (neuron,),
        Settings.of(**push_settings(network, neuron)),
        device=Device("cpu", "float32", 1),
    )
    state = open_session(spec)
    changes = [Change("picture", picture), Change("rest", 0), Change("start_from", StartFrom(0))]
    state, info = advance(state, changes, 0)
    assert not info.refused
    for _ in range(steps):
        state, _ = advance(state)
    return state


def test_digits_are_flipped_and_stay_near(lenet):
    sheet = load_digits_sheet()
    flipped, far = 0, []
    chosen = range(11, 5000, 500)
    for number in chosen:
        kept = KeptPicture(sheet.images[number].float() / 255, str(number), "photograph")
        wanted = Neuron("fc3", (int(sheet.labels[number]) + 3) % 10)
        average = pushed(lenet, kept, wanted, STEPS).lane.average.mean[0]
        flipped += int(probabilities(lenet, average[None])[0].argmax()) == wanted.index
        far.append((average - kept.pixels).square().mean().sqrt().item())
    assert flipped >= len(chosen) - 1
    assert max(far) < 0.15 and torch.tensor(far).median() < 0.09  # another digit is .3 away


def test_a_hidden_neuron_is_pushed_within_a_known_distance(lenet):
    kept = KeptPicture(load_digits_sheet().images[40].float() / 255, "digit", "photograph")
    neuron = Neuron("fc2", 5)
    state = pushed(lenet, kept, neuron, 60)
    units = lenet.units([neuron])
    before, after = (
        lenet.activation(x[None], units).item() for x in (kept.pixels, state.lane.average.mean[0])
    )
    assert after > before + 1
    far = (state.lane.average.mean[0] - kept.pixels).square().mean().sqrt().item()
    assert far < 0.12


def test_photographs_are_pushed_as_clean_draws_and_natural_l2_holds_them():
    class Large:
        class pixels:
            shape = (3, 224, 224)

        class class_layer:
            name = "output"

    settings = Settings.of(**push_settings(Large, Neuron("output", 1)))
    clean = Settings.of(**PRESETS["clean"].values(Large.pixels.shape, discriminator=False))
    for name in ("mode", "objective", "jitter", "view_zoom", "photo_statistics", "spectrum"):
        assert getattr(settings, name) == getattr(clean, name)
    assert (settings.l2, settings.natural_l2, settings.schedule) == (0, 2, 0)
    assert largest_stable(settings, "step_size", Large.pixels.shape) > settings.step_size
    inner = Settings.of(**push_settings(Large, Neuron("features", 1)))
    assert (inner.l2, inner.objective, inner.jitter) == (5, "activation", 0)


def test_the_distance_of_the_answer_is_said_beside_that_of_now():
    now = Now(3, "ladle, 93 %", 0.0881)
    assert now.words(None) == now.words(0.0881) == "Now: ladle, 93 %; changed by 0.088 (rms)"
    assert now.words(0.021).endswith("(rms). The answer had changed at 0.021")


def test_neurons_by_name_number_or_address(lenet):
    assert neuron_called(lenet, " 8 ") == Neuron("fc3", 8)
    assert neuron_called(lenet, "conv2:3@1,2") == Neuron("conv2", 3, (1, 2))
    for wrong in ("ten", "11", "conv2:99", "", "\x1b"):
        with pytest.raises(StudioError, match="has no class or neuron called"):
            neuron_called(lenet, wrong)
