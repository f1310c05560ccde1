"""Several sets of weights in one file: one is taken and said, and each can be chosen."""

from __future__ import annotations

import json

import pytest
import torch

from ldam_studio.cli import build_parser, main
from ldam_studio.commands.shared.beside import beside_of
from ldam_studio.commands.shared.flags import network_of
from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.weights.choice import WeightsChoice
from ldam_studio.networks.weights.weights import read_saved
from saved_networks import imported, named, opened, same, trained, written
from thinned import one_in


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """The network's file, and two trained ones."""
    path = written(tmp_path)
    code = imported(path, monkeypatch)
    return path, trained(code.Net(), 1), trained(code.Net(), 2)


def student_and_teacher(one, two):
    student = named("module.backbone.", one) | {"module.head.0.weight": torch.ones(3, 3)}
    return {"student": student, "teacher": named("backbone.", two), "epoch": 3}


def ema_first(one, two):
    return {"state_dict_ema": two, "state_dict": one}


def pair_of_encoders(one, two):
    both = named("module.encoder_q.", one) | named("module.encoder_k.", two)
    return {"state_dict": both | {"module.queue": torch.ones(5, 7)}}


def stochastic_average(one, two):
    return {"model": one, "swa": {"n_averaged": torch.tensor(3)} | named("module.", two)}


def deeply_nested(one, two):
    return {"run": {"nets": [{"weights": one}, {"weights": two}]}}


def adversaries(one, two):
    other = {"conv.weight": torch.ones(3, 3)}
    return {"discriminator": other, "generator": one, "generator_ema": two}


SETS = {
    student_and_teacher: ("student.module.backbone", "teacher"),
    ema_first: ("state_dict", "state_dict_ema"),
    pair_of_encoders: ("state_dict.module.encoder_q", "encoder_k"),
    stochastic_average: ("model", "swa"),
    deeply_nested: ("run.nets.0.weights", "run.nets.1"),
    adversaries: ("generator", "generator_ema"),
}


@pytest.mark.parametrize("saved", one_in(2, SETS, lambda saved: saved.__name__))
def test_one_is_taken_and_said_and_each_can_be_chosen(nets, tmp_path, saved):
    path, one, two = nets
    torch.save(saved(one.state_dict(), two.state_dict()), tmp_path / "w.pt")
    taken, key = SETS[saved]
    network = opened(path, tmp_path / "w.pt")
    same(network, one)
    assert network.reference["weights_key"] == taken
    assert any(f"are those in {taken};" in n and key in n for n in network.provenance.notes)
    # The name of either set chooses it, also without what precedes or follows it.
    chosen = opened(path, tmp_path / "w.pt", weights_key=key)
    same(chosen, two)
    assert chosen.reference["weights_key"] == key
    assert not any("also has" in note for note in chosen.provenance.notes)
    same(opened(path, tmp_path / "w.pt", weights_key=taken), one)
    # All sets stay known, so that a dialog can offer them.
    assert len(network.provenance.sets) == 2
    assert len(chosen.provenance.sets) == 2
    for each, module in zip(network.provenance.sets, (one, two), strict=True):
        same(opened(path, tmp_path / "w.pt", weights_key=each), module)
    # A later checkpoint of the same training gives the same set, and a recipe opens it again.
    again = chosen.with_weights(read_saved(tmp_path / "w.pt")[0], tmp_path / "w.pt", "0")
    same(again, two)
    reference = parse(json.loads(json.dumps(chosen.reference)), Reference)
    same(Opener(allow_code=True).network(reference), two)


def test_a_set_beside_another_in_one_dictionary_is_no_unknown_weight(nets, tmp_path):
    path, one, two = nets
    torch.save(one.state_dict() | named("ema.", two.state_dict()), tmp_path / "w.pt")
    network = opened(path, tmp_path / "w.pt")
    assert set(network.provenance.sets) == {"", "ema"}
    same(opened(path, tmp_path / "w.pt", weights_key=""), one)
    same(opened(path, tmp_path / "w.pt", weights_key="ema"), two)


def test_a_key_that_is_not_there_names_those_that_are(nets, tmp_path):
    path, one, two = nets
    torch.save({"model": one.state_dict(), "ema": two.state_dict()}, tmp_path / "w.pt")
    with pytest.raises(StudioError, match=r"no weights under 'teacher'; it has model, ema\.$"):
        opened(path, tmp_path / "w.pt", weights_key="teacher")


def test_one_set_needs_no_key(nets, tmp_path):
    path, one, _ = nets
    optimizer = torch.optim.Adam(one.parameters())
    sum(p.sum() for p in one.parameters()).backward()
    optimizer.step()
    saved = {"state_dict": one.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(saved, tmp_path / "w.pt")
    network = opened(path, tmp_path / "w.pt")
    assert set(network.reference) == {"name", "weights", "sha256"}
    assert network.provenance.notes == () == network.provenance.sets


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("w.pt", WeightsChoice("w.pt")),
        ("w.pt::teacher", WeightsChoice("w.pt", "teacher")),
        ("a/w.pt::run.nets.0", WeightsChoice("a/w.pt", "run.nets.0")),
        ("w.pt::", WeightsChoice("w.pt", "")),
        ("random", WeightsChoice(seed=0)),
        ("random:7", WeightsChoice(seed=7)),
        ("./random", WeightsChoice("random")),
        ("random.pt", WeightsChoice("random.pt")),
        ("x" * 5000 + "::y", WeightsChoice("x" * 5000, "y")),
    ],
)
def test_the_flag_is_read(text, choice):
    found = WeightsChoice.parse(text)
    assert (found.file and str(found.file), found.key, found.seed) == (
        *(choice.file, choice.key, choice.seed),
    )


def test_a_file_may_have_the_separator_in_its_name(tmp_path):
    (tmp_path / "a::b.pt").write_bytes(b"")
    assert WeightsChoice.parse(f"{tmp_path}/a::b.pt").key is None


@pytest.mark.parametrize("weights", ["w.pt::model_ema", "random"])
def test_another_set_is_compared_side_by_side(nets, tmp_path, monkeypatch, weights):
    path, one, two = nets
    monkeypatch.chdir(tmp_path)
    torch.save({"model": one.state_dict(), "model_ema": two.state_dict()}, "w.pt")
    words = ["render", "--network", f"{path}:model", "--weights", "w.pt", "--compare", weights]
    args = build_parser().parse_args([*words, "--neuron", "fc:1"])
    network = network_of(args)
    other = beside_of(args, network).network
    same(network, one)
    if weights == "random":
        assert other.provenance.random_seed == 0
    else:
        same(other, two)


@pytest.mark.parametrize("seed", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_seed_that_is_no_number_is_one_sentence(seed):
    with pytest.raises(StudioError, match="seed of random weights is a whole number"):
        WeightsChoice.parse(f"random:{seed}")


def test_the_command_line_chooses_and_says_it(nets, tmp_path, capsys):
    path, one, two = nets
    file = tmp_path / "w.pt"
    torch.save({"model": one.state_dict(), "model_ema": two.state_dict()}, file)

    def info(weights):
        words = ["info", "--network", f"{path}:model", "--weights", weights, "--json"]
        assert main(words) == 0
        return json.loads(capsys.readouterr().out)

    auto, chosen, random = info(str(file)), info(f"{file}::model_ema"), info("random:3")
    assert (auto["weights_key"], chosen["weights_key"]) == ("model", "model_ema")
    assert auto["weights_sets"] == ["model", "model_ema"]
    assert "w.pt also has weights in model_ema" in auto["notes"][0]
    assert auto["sha256"] == chosen["sha256"]
    assert (random["random_seed"], random["weights"], auto["random_seed"]) == (3, None, None)


LEARNED = """
class Learned(Net):
    "Its code loads trained weights, and has one that no layer draws."
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.arange(36.0).reshape(1, 1, 6, 6).repeat(1, 1, 2, 2))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.linspace(1, 2, parameter.numel()).reshape(parameter.shape))
            self.bn1.running_mean.fill_(3)
    def forward(self, x):
        return super().forward(x + self.token)
"""


def test_random_weights_are_random_seeded_and_found_again(tmp_path):
    path = written(tmp_path, LEARNED)

    def drawn(seed):
        return open_network(f"{path}:Learned", options=Options(random_seed=seed))

    network, again, other = drawn(3), drawn(3), drawn(4)
    state = network.module.state_dict()
    assert network.sha256 == again.sha256 != other.sha256
    learned = open_network(f"{path}:Learned").module.state_dict()
    for name in ("conv1.weight", "fc.weight", "fc.bias", "token", "bn1.running_mean"):
        assert not torch.equal(state[name], learned[name])
    assert torch.equal(state["token"].sort().values, learned["token"].flatten().sort().values) or (
        state["token"].flatten().sort().values.equal(learned["token"].flatten().sort().values)
    )
    reference = parse(json.loads(json.dumps(network.reference)), Reference)
    assert reference.random_seed == 3
    assert Opener(allow_code=True).network(reference).sha256 == network.sha256


def test_random_weights_of_a_published_network_download_nothing(monkeypatch):
    from ldam_studio.networks.sources import opening

    monkeypatch.setattr(opening, "fetch", None)
    name = "torchvision:squeezenet1_1"
    one, two = (open_network(name, options=Options(random_seed=seed)) for seed in (1, 2))
    assert one.sha256 != two.sha256
    plain = open_network("lenet", options=Options(random_seed=0))
    assert plain.sha256 == open_network("lenet", options=Options(untrained=True)).sha256


@pytest.mark.parametrize("weights", ["w.pt::model_ema", "random:5"])
def test_a_picture_of_chosen_weights_is_replayed_to_the_same_pixels(
    nets, tmp_path, monkeypatch, capsys, weights
):
    path, one, two = nets
    monkeypatch.chdir(tmp_path)
    torch.save({"model": one.state_dict(), "model_ema": two.state_dict()}, "w.pt")
    words = ["render", "--network", f"{path}:model", "--weights", weights, "--neuron", "fc:1"]
    assert main([*words, "--steps", "6", "--out", "out"]) == 0
    picture = min((tmp_path / "out").glob("*.png"))
    capsys.readouterr()
    assert main(["replay", str(picture), "--allow-code"]) == 0
    assert "identical" in capsys.readouterr().out


def test_two_sets_of_one_file_show_two_hashes(nets, tmp_path, capsys):
    path, one, two = nets
    file = tmp_path / "sets.pt"
    torch.save({"state_dict": one, "state_dict_ema": two}, file)
    seen = {}
    for key in ("state_dict", "state_dict_ema"):
        flags = ["info", "--network", f"{path}:Net", "--weights", f"{file}::{key}", "--json"]
        assert main(flags) == 0
        seen[key] = json.loads(capsys.readouterr().out)
    first, second = seen.values()
    assert first["sha256"] == second["sha256"]  # by which recipes find the file
    assert first["weights_sha256"] != second["weights_sha256"]


def test_with_a_wrong_network_the_sets_are_named_and_none_is_adams(nets, tmp_path):
    path, *_ = nets
    other = torch.nn.Linear(3, 2)
    adam = torch.optim.Adam(other.parameters())
    other(torch.ones(1, 3)).sum().backward()
    adam.step()
    file = tmp_path / "split.pt"
    critic = {f"critic.{name}": value for name, value in other.state_dict().items()}
    torch.save({"G": other.state_dict(), "D": critic, "opt": adam.state_dict()}, file)
    with pytest.raises(StudioError, match="it has the sets of weights G and D, of which") as error:
        open_network(f"{path}:Net", file)
    assert "exp_avg" not in str(error.value)
    with pytest.raises(StudioError, match=r"no weights under 'E'; it has G, D[.]"):
        open_network(f"{path}:Net", file, Options(weights_key="E"))
