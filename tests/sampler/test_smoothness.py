"""Total variation and jitter, the terms that are 0 by default."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from kernel_steps import run
from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.objective import value_and_gradient
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.terms.smoothness import total_variation, total_variation_gradient
from ldam_studio.sampler.views import View


@given(seed=st.integers(0, 50), channels=st.integers(1, 3), size=st.integers(1, 6))
def test_the_closed_form_is_the_gradient(seed, channels, size):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((2, channels, size, size + 1), generator=generator, dtype=torch.float64)
    _, gradient = value_and_gradient(total_variation)(x)
    torch.testing.assert_close(total_variation_gradient(x), gradient)


def test_a_flat_image_has_no_variation_and_an_edge_has_its_length():
    assert total_variation(torch.full((1, 3, 8, 8), 0.7)).item() == 0
    edge = torch.zeros(1, 1, 40, 40)
    edge[..., 20:] = 50.0
    assert abs(float(total_variation(edge)) / (50.0 * 40) - 1) < 0.01


def test_smoothness_alone_flattens_noise():
    settings = Settings.of(mode="exact", temperature=0.0, l2=0.0, smoothness=1.0, step_size=0.02)
    x = torch.rand((2, 1, 12, 12), generator=torch.Generator().manual_seed(0))
    nothing = lambda x: (torch.zeros(len(x)), torch.zeros_like(x))  # noqa: E731 - a zero neuron
    state, _ = run(x, 1500, settings, nothing)
    assert float(state.x.std(dim=(1, 2, 3)).max()) < 0.01
    torch.testing.assert_close(state.x.mean(), x.mean(), atol=1e-3, rtol=0)


def opened(**settings):
    network = open_network("lenet")
    spec = SessionSpec(network, network.default_neurons(2), Settings.of(**settings), seed=4)
    return open_session(spec)


def test_jitter_shows_the_network_a_moved_image_and_gives_the_gradient_back():
    state = opened(jitter=3, mode="exact")
    lane, device = state.lane, state.device
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    value, gradient = activation_of(lane, device, [View((2, -3))])(x)
    moved = torch.zeros_like(x)
    moved[:, :, 2:, :-3] = x[:, :, :-2, 3:]
    expected, inside = activation_of(lane, device)(moved)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient[:, :, :-2, 3:], inside[:, :, 2:, :-3])
    assert not gradient[:, :, -2:].any()
    assert not gradient[:, :, :, :3].any()


def test_jitter_reaches_as_far_as_it_says_in_both_directions():
    from ldam_studio.engine.noise import draw_for_lanes

    state = opened(jitter=2)
    views = [draw_for_lanes(state.lanes, state.generators) for _ in range(400)]
    drawn = {view.shift for ((view,),) in views}
    assert drawn == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}


def test_jitter_moves_no_other_random_source():
    plain, jittered = opened(), opened(jitter=4)
    noise = [
        state.generators.clone().normal("noise", (2, 1, 28, 28)) for state in (plain, jittered)
    ]
    jittered, _ = advance(jittered)
    jittered, _ = advance(jittered, [Change("jitter", 0)])
    plain, _ = advance(plain)
    plain, _ = advance(plain)
    assert torch.equal(*noise)
    after = [
        state.generators.clone().normal("noise", (2, 1, 28, 28)) for state in (plain, jittered)
    ]
    assert torch.equal(*after)
