"""The judged table: who is asked what, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.commands.paper import named
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.errors import StudioError
from ldam_studio.networks.models.natural_discriminator import NaturalDiscriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import write_weights

FACTORIES = """
import torch
from torch import nn


def make(side, classes, seed):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 9, stride=8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
    )
    colour = (0.5, 0.5, 0.5)
    module.pixels = {
        "channels": 3, "height": side, "width": side, "mean": colour, "std": colour, "rest": 0.5
    }
    return module


def drawn():
    return make(160, 10, 1)


def judge():
    return make(96, 10, 2)


def other():
    return make(96, 9, 2)
"""


@pytest.fixture(scope="module")
def factories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "mine.py"
    path.write_text(FACTORIES)
    return path


@pytest.fixture(scope="module")
def realness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = NaturalDiscriminator()
    path = tmp_path_factory.mktemp("discriminator") / "d.safetensors"
    state = {name: value.half() for name, value in module.state_dict().items()}
    write_weights(path, state, {"about": "untrained"})
    return path


def flags_of(factories: Path, realness: Path, out: Path) -> list[str]:
    return [
        *("--network", f"{factories}:drawn", "--judge", f"{factories}:judge"),
        *("--discriminator-weights", str(realness), "--out", str(out)),
        *("--classes", "3", "--steps", "4", "--seed", "5"),
    ]


def test_the_table_is_printed_and_written(factories, realness, tmp_path, capsys) -> None:
    flags = [*flags_of(factories, realness, tmp_path), "--strengths", "0,0.5"]
    assert main(["paper", "named", *flags]) == 0
    found = json.loads((tmp_path / "named.json").read_text())
    assert found["classes"] == [0, 3, 6] and found["seed"] == 5 and found["steps"] == 4
    rows = [(row["preset"], row["discriminator_weight"]) for row in found["rows"]]
    assert rows == [("paper", 0), ("paper", 0.5), ("clean", 0), ("clean", 0.5)]
    for row in found["rows"]:
        for what in ("raw", "averaged"):
            ranks = row[what]["ranks"]
            assert row[what]["first"] == sum(rank == 0 for rank in ranks) / 3
            assert row[what]["first_five"] == sum(rank < 5 for rank in ranks) / 3
    with Image.open(tmp_path / "named.png") as picture:
        assert picture.width > 3 * 160 and picture.height > 8 * 160
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == named.HEAD and printed[1].startswith("paper") and "%" in printed[4]


def test_it_gives_the_same_numbers_from_the_same_seed(factories, realness, tmp_path) -> None:
    written = []
    for name in ("a", "b"):
        out = tmp_path / name
        flags = [*flags_of(factories, realness, out), "--strengths", "0.75", "--presets", "clean"]
        assert main(["paper", "named", *flags]) == 0
        written.append([file.read_bytes() for file in sorted(out.iterdir())])
    assert written[0] == written[1]


def test_a_stopped_table_writes_nothing(factories, realness, tmp_path, capsys, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(named, "measure", stop)
    assert main(["paper", "named", *flags_of(factories, realness, tmp_path)]) == INTERRUPTED
    assert "stopped" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_the_judge_ranks_the_class_that_was_asked_for(factories) -> None:
    judge = open_network(f"{factories}:judge")
    images = torch.rand(4, 3, 160, 120, generator=torch.Generator().manual_seed(0))
    first = named.ask(judge, images, torch.zeros(4, dtype=torch.int64))
    every = [named.ask(judge, images, torch.full((4,), label)) for label in range(10)]
    assert first.ranks == every[0].ranks
    for image in range(4):
        assert sorted(found.ranks[image] for found in every) == list(range(10))
    assert sum(found.confidence for found in every) == pytest.approx(1, abs=1e-3)
    assert sum(found.first for found in every) == pytest.approx(1)
    assert sum(found.first_five for found in every) == pytest.approx(5)


def test_classes_are_evenly_spread(factories) -> None:
    network: Network = open_network(f"{factories}:drawn")
    assert [neuron.index for neuron in named.spread_classes(network, 4)] == [0, 2, 5, 7]
    with pytest.raises(StudioError, match="between 1 and 10"):
        named.spread_classes(network, 11)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--strengths", "0,2"], "--strengths are numbers from 0 to 1"),
        (["--strengths", "much"], "--strengths are numbers"),
        (["--presets", "nice"], "no preset 'nice'"),
        (["--classes", "11"], "--classes must lie between 1 and 10"),
        (["--steps", "1"], "--steps must lie between"),
        (["--judge", "FACTORIES:other"], "has 9 classes"),
        (["--judge", "lenet"], "same classes"),
    ],
)
def test_what_will_not_do_is_a_sentence(extra, expected, factories, realness, tmp_path, capsys):
    extra = [word.replace("FACTORIES", str(factories)) for word in extra]
    flags = flags_of(factories, realness, tmp_path / "out")
    assert main(["paper", "named", *flags, *extra]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1


def test_without_a_discriminator_only_weight_0_will_do(factories, tmp_path, capsys) -> None:
    flags = ["--network", f"{factories}:judge", "--judge", f"{factories}:judge"]
    flags += ["--classes", "2", "--steps", "2", "--out", str(tmp_path)]
    assert main(["paper", "named", *flags]) == 2
    assert "use --strengths 0" in capsys.readouterr().err
    assert main(["paper", "named", *flags, "--strengths", "0", "--presets", "clean"]) == 0
