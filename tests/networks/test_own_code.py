"""Networks in a person's own code: what works, and what is refused in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import ldam_studio as ldam
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.listing import list_layers
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import UnknownInputError
from ldam_studio.networks.sources.opening import open_network

CODE = """
import torch
from torch import nn

PIXELS = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)

def body():
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(4)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 5))

class Giving(nn.Module):
    pixels = PIXELS
    def __init__(self, give, body=body):
        super().__init__()
        self.body, self.give = body(), give
    def forward(self, x):
        return self.give(self.body, x)
"""


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], Network]:
    """Open the network that an expression makes, in a file of its own."""

    def opened(expression: str) -> Network:
        lines = "\n    ".join(expression.strip().splitlines())
        if not lines.rpartition("\n")[2].lstrip().startswith(("return", "raise")):
            head, _, last = lines.rpartition("\n    ")
            lines = f"{head}\n    return {last}" if head else f"return {last}"
        (tmp_path / "mine.py").write_text(f"{CODE}\ndef model():\n    {lines}\n")
        return open_network(f"{tmp_path}/mine.py:model")

    return opened


@pytest.mark.parametrize(
    "expression",
    [
        "Giving(torch.no_grad()(lambda body, x: body(x)))",
        "Giving(torch.inference_mode()(lambda body, x: body(x)))",
        "Giving(lambda body, x: body(x.detach()))",
        "torch.ao.quantization.quantize_dynamic(body(), {nn.Linear}), PIXELS",
    ],
    ids=["no_grad", "inference_mode", "detached", "quantised"],
)
@pytest.mark.filterwarnings("ignore")  # torch's own, about its ways of quantising
def test_an_output_without_a_gradient_is_refused(opened, expression):
    with pytest.raises(StudioError, match=r"mine.py:model lets no gradient through to the image"):
        opened(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "Giving(lambda body, x: body(x).argmax(1, keepdim=True))",
        "Giving(lambda body, x: body(x) > 0)",
        "Giving(lambda body, x: body(x)[:, :0])",
        "Giving(lambda body, x: torch.fft.fft(body(x)))",
        "Giving(lambda body, x: body(x).detach())",
        "Giving(lambda body, x: (body(x) > 0).float())",
        "Giving(lambda body, x: (x.mean((2, 3)).detach(), body(x)))",
        "Giving(lambda body, x: (torch.tensor(3), body(x)))",
        "Giving(lambda body, x: dict(ids=torch.arange(9), logits=[body(x)]))",
    ],
    ids=[
        *("whole numbers", "yes or no", "none at all", "complex", "detached", "a decision"),
        *("detached, then usable", "a whole number, then usable", "whole numbers, then usable"),
    ],
)
def test_an_output_that_cannot_be_looked_at_is_no_layer(opened, expression):
    network = opened(expression)
    assert [layer.name for layer in network.layers][-1] == "body"
    state = open_session(SessionSpec(network, network.default_neurons(3), device=choose("cpu")))
    assert advance(state)[0].step == 1


def test_a_network_may_follow_gradients_in_its_own_forward_pass(opened):
    network = opened(
        """
def give(body, x):
    with torch.enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()
        energy = body(x).square().sum()
        return torch.autograd.grad(energy, x, create_graph=True)[0].flatten(1)
return Giving(give)
"""
    )
    assert [layer.name for layer in network.layers][-2:] == ["body", "output"]
    assert network.layers[-1].neurons == 768
    state = open_session(SessionSpec(network, network.default_neurons(3), device=choose("cpu")))
    assert advance(state)[0].step == 1


@pytest.mark.parametrize("at_once", [True, False], ids=["in the file", "in the function"])
def test_code_that_turns_gradients_off_is_checked_and_turns_them_off_for_itself(tmp_path, at_once):
    off = "torch.set_grad_enabled(False)"
    head, inside = (off, "pass") if at_once else ("", off)
    (tmp_path / "mine.py").write_text(
        f"{CODE}\n{head}\ndef model():\n    {inside}\n    return body(), PIXELS\n"
    )
    network = open_network(f"{tmp_path}/mine.py:model")
    assert torch.is_grad_enabled()
    assert network.layers[-1].neurons == 5


def test_where_gradients_are_off_it_is_still_seen_whether_they_lead_to_the_image():
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.detach().mean((2, 3))

    with torch.no_grad(), pytest.raises(StudioError, match="lets no gradient through"):
        list_layers("cut", Cut(), torch.zeros(1, 3, 9, 9))


def test_a_network_of_which_nothing_can_be_looked_at_is_refused(opened):
    with pytest.raises(StudioError, match=r"has no units to look at; .* floating-point numbers"):
        opened("Giving(lambda body, x: (x > 0).flatten(1))")


@pytest.mark.parametrize(
    "expression",
    [
        "Giving(lambda body, x: body(x.view(1, 3, 16, 16)))",
        "Giving(lambda body, x: body(x)[0] if len(x) > 1 else body(x) + 0)",
        "Giving(lambda body, x: torch.stack([body(image[None])[0] for image in x]))",
        "Giving(lambda body, x: body(x.mean(0, keepdim=True)))",
    ],
    ids=["one only", "the first of several", "one after the other", "a mean of all"],
)
def test_chains_of_a_network_for_one_image_at_a_time_are_run_one_by_one(opened, expression):
    network = opened(expression)
    assert "one at a time" in " ".join(network.provenance.notes)
    x = torch.rand(3, 3, 16, 16)
    each = [network.module(network.normalise(image[None])).reshape(1, 5) for image in x]
    torch.testing.assert_close(network.output(x, network.class_layer.name), torch.cat(each))
    state = open_session(SessionSpec(network, network.default_neurons(3), device=choose("cpu")))
    assert advance(state)[0].step == 1


def test_what_fails_in_a_step_only_is_a_sentence(opened):
    network = opened(
        """
def give(body, x):
    assert len(x) <= 3, "three at most"
    return body(x)
return Giving(give)
"""
    )
    state = open_session(SessionSpec(network, network.default_neurons(4), device=choose("cpu")))
    with pytest.raises(
        StudioError, match=r"a step of 4 chains in layer body \(AssertionError: three"
    ):
        advance(state)
    assert state.step == 0


def test_layers_before_a_detached_one_are_left_and_those_behind_it_are_not():
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return x.mean((2, 3)) + self.second(x.detach()).mean((2, 3))

    listed = list_layers("cut", Cut().eval().requires_grad_(False), torch.zeros(1, 3, 9, 9))
    assert [layer.name for layer in listed.all] == ["first", "output"]


@pytest.mark.parametrize(
    "norm", ["weight_norm", "spectral_norm"], ids=["weight norm", "spectral norm"]
)
@pytest.mark.filterwarnings("ignore")  # torch's own, about its older ways
def test_weights_that_are_worked_out_anew_are_left_unfolded(opened, norm):
    network = opened(
        f"network = body()\nnn.utils.{norm}(network[0])\nnetwork.pixels = PIXELS\nreturn network"
    )
    x = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(network.output(x, "5"), network.module(network.normalise(x)))


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_weights_of_another_precision_are_used_as_float32_which_is_said(opened, kind):
    network = opened(f"body().to(torch.{kind}), PIXELS")
    assert network.output(torch.rand(2, 3, 16, 16), "5").dtype == torch.float32
    assert network.provenance.notes == (f"Its weights were {kind} and are used as float32.",)
    assert opened("body(), PIXELS").provenance.notes == ()


LAZY = "nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(7))"


def test_lazy_layers_find_their_sizes_also_before_weights_are_read(opened, tmp_path):
    network = opened(f"{LAZY}, PIXELS")
    assert network.layers[-1].neurons == 7
    assert bool((network.module[1].running_mean == 0).all())
    state = {name: value + 1 for name, value in network.module.state_dict().items()}
    torch.save(state, tmp_path / "w.pt")
    again = open_network(network.name, tmp_path / "w.pt")
    assert torch.equal(again.module[3].weight, state["3.weight"])


@pytest.mark.parametrize(
    ("size", "known"), [((3, 20, 24), True), ((3, 20), False), (None, False), ((1, 20, 24), False)]
)
def test_a_configuration_as_timms_models_have_it_tells_the_input(size, known):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3))
    module.pretrained_cfg = {"input_size": size, "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.2)}
    if not known:
        with pytest.raises(StudioError, match="It is not known which images"):
            ldam.open_network(module)
        return
    pixels = ldam.open_network(module).pixels
    assert (pixels.shape, pixels.mean, pixels.rest) == ((3, 20, 24), (0.5, 0.4, 0.3), 0.5)


def test_lazy_layers_without_an_input_are_asked_for_it(opened):
    with pytest.raises(UnknownInputError, match="It is not known which images"):
        opened(LAZY)
    with pytest.raises(StudioError, match="has lazy layers and fails on an image of 3 x 16 x 16 "):
        opened("nn.Sequential(nn.LazyConv2d(4, 3), nn.Linear(3, 4)), PIXELS")


def test_sizes_that_are_not_whole_and_numbers_that_are_none_are_refused(opened):
    with pytest.raises(StudioError, match=r"3 x 16\.5 x 16 makes no sense"):
        opened("body(), dict(PIXELS, height=16.5)")
    for name, value in (("mean", "nan"), ("std", "inf"), ("rest", "nan"), ("maximum", "inf")):
        many = f"[float('{value}')] * 3" if name in ("mean", "std") else f"float('{value}')"
        with pytest.raises(StudioError, match="must be finite numbers"):
            opened(f"body(), dict(PIXELS, {name}={many})")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise BaseException('odd')", "BaseException: odd"),
        ("raise GeneratorExit", "GeneratorExit"),
    ],
)
def test_a_function_may_end_as_it_will(opened, end, said):
    with pytest.raises(StudioError, match=rf"mine.py:model failed \({said}\)"):
        opened(end)


def test_control_c_is_still_obeyed(opened):
    with pytest.raises(KeyboardInterrupt):
        opened("raise KeyboardInterrupt")


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.module."])
def test_plain_weights_fit_a_wrapped_module_and_wrapped_ones_do(opened, tmp_path, prefix):
    plain = opened("body(), PIXELS")
    state = {f"{prefix}{name}": value + 1 for name, value in plain.module.state_dict().items()}
    torch.save(state, tmp_path / "w.pt")
    wrapped = opened("nn.DataParallel(body()), PIXELS")
    again = open_network(wrapped.name, tmp_path / "w.pt")
    assert torch.equal(again.module.module[5].weight, state[f"{prefix}5.weight"])


@pytest.mark.parametrize("buffer", ["running_mean", "running_var"])
def test_what_a_batch_norm_has_seen_must_be_finite(opened, buffer):
    spoil = f"network = body()\nnetwork[1].{buffer}[0] = float('nan')\nreturn network, PIXELS"
    with pytest.raises(StudioError, match=rf"weights that are not finite, in '1.{buffer}'"):
        opened(spoil)


def test_a_buffer_may_be_infinite_or_no_number_if_the_output_is_one(opened):
    buffer = "network = Giving(lambda body, x: body(x) + {})\n"
    buffer += "network.register_buffer('best', torch.full((2,), float('{}')))\nreturn network"
    for value in ("-inf", "nan"):
        assert opened(buffer.format(0, value)).layers[-1].neurons == 5
    with pytest.raises(StudioError, match="weights that are not finite, in 'best'"):
        opened(buffer.format("network.best[0]", "nan"))


def test_precisions_that_a_file_chooses_in_torchs_newer_way_are_put_back(tmp_path):
    (tmp_path / "first.py").write_text(
        "import torch\n"
        "torch.backends.cuda.matmul.fp32_precision = 'tf32'\n"
        "torch.backends.cudnn.conv.fp32_precision = 'ieee'\n" + PLAIN
    )
    (tmp_path / "second.py").write_text(PLAIN)
    before, argv = torch.get_float32_matmul_precision(), sys.argv[:]
    for name in ("first", "second"):
        assert open_network(f"{tmp_path}/{name}.py:model").layers
        assert torch.get_float32_matmul_precision() == before
        assert sys.argv == argv


PLAIN = """
from torch import nn
def model():
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
    module.pixels = dict(channels=3, height=4, width=4, mean=[0.5] * 3, std=[0.5] * 3)
    return module
"""
