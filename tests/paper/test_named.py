"""The judged table: who is asked what, and what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


def second():
    return make(64, 10, 3)


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
        *("--classes", "3", "--steps", "4", "--seed", "5", "--seeds", "2", "--no-lucent"),
    ]


def table(out: str) -> list[str]:
    """Return the printed lines of the table below its head, without the files' paths."""
    printed = out.splitlines()
    assert named.HEAD in printed
    return [line for line in printed[printed.index(named.HEAD) + 1 :] if "named." not in line]


def without_times(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text())
    for row in found["rows"]:
        row.pop("seconds_per_picture")
    return found


def test_the_table_is_printed_and_written(factories, realness, tmp_path, capsys) -> None:
    flags = [*flags_of(factories, realness, tmp_path), "--strengths", "0,0.5"]
    assert main(["paper", "named", *flags]) == 0
    found = json.loads((tmp_path / "named.json").read_text())
    assert found["classes"] == [2, 5, 6] and found["split"] == "report"
    assert found["seed"] == 5 and found["seeds"] == 2 and found["batch_seeds"] == [5, 6]
    rows = [(row["preset"], row["discriminator_weight"]) for row in found["rows"]]
    assert rows == [("paper", 0), ("paper", 0.5), ("clean", 0), ("clean", 0.5)]
    for row in found["rows"]:
        assert row["steps"] == 4 and row["seconds_per_picture"] > 0
        for what in ("last", "averaged"):
            assert -1 <= row[what]["pixel_cosine"] <= 1
            (judged,) = row[what]["judges"]
            ranks = judged["ranks"]
            assert len(ranks) == 6 and judged["judge"].endswith(":judge")
            for top, share in ((1, judged["top_1"]), (5, judged["top_5"])):
                hits = sum(rank < top for rank in ranks) / 6
                assert share["value"] == pytest.approx(hits, abs=1e-4)
                assert share["low"] <= share["value"] <= share["high"]
            assert -1 <= judged["feature_cosine"] <= 1
    with Image.open(tmp_path / "named.png") as picture:
        assert picture.width > 3 * 160 and picture.height > 8 * 160
    printed = capsys.readouterr().out
    assert "3 classes of the split report x 2 seeds = 6 pictures" in printed
    lines = table(printed)
    assert len(lines) == 8 and lines[0].startswith("paper, w = 0 ")
    assert "averaged" in lines[0] and "last" in lines[1] and " to " in lines[0]


def test_it_gives_the_same_numbers_from_the_same_seed(factories, realness, tmp_path) -> None:
    written = []
    for name in ("a", "b"):
        out = tmp_path / name
        flags = [*flags_of(factories, realness, out), "--strengths", "0.75", "--presets", "clean"]
        assert main(["paper", "named", *flags]) == 0
        written.append((without_times(out / "named.json"), (out / "named.png").read_bytes()))
    assert written[0] == written[1]


def test_rows_have_the_presets_own_weights_unless_others_are_asked_for(
    factories, realness, tmp_path
) -> None:
    assert main(["paper", "named", *flags_of(factories, realness, tmp_path)]) == 0
    rows = json.loads((tmp_path / "named.json").read_text())["rows"]
    assert [row["discriminator_weight"] for row in rows] == [0.25, 0.0]


def test_classes_for_tuning_are_no_classes_for_reporting(factories, realness, tmp_path) -> None:
    found = {}
    for split in ("tune", "report"):
        out = tmp_path / split
        flags = [*flags_of(factories, realness, out), "--strengths", "0", "--split", split]
        assert main(["paper", "named", *flags]) == 0
        found[split] = set(json.loads((out / "named.json").read_text())["classes"])
    assert not found["tune"] & found["report"]


def test_without_a_number_of_classes_it_draws_all_of_a_small_split(factories, realness, tmp_path):
    flags = flags_of(factories, realness, tmp_path)
    del flags[flags.index("--classes") : flags.index("--classes") + 2]
    flags += ["--strengths", "0", "--presets", "clean", "--split", "tune"]
    assert main(["paper", "named", *flags]) == 0
    found = json.loads((tmp_path / "named.json").read_text())
    assert found["classes"] == [0, 1, 3, 4, 7, 8, 9] and found["pictures_in_a_row"] == 14


def test_two_judges_and_equal_times(factories, realness, tmp_path, capsys) -> None:
    flags = [*flags_of(factories, realness, tmp_path), "--judge", f"{factories}:second"]
    steps = flags.index("--steps")
    flags[steps : steps + 2] = ["--seconds", "0.02,0.05"]
    flags += ["--presets", "clean", "--strengths", "0"]
    assert main(["paper", "named", *flags]) == 0
    rows = json.loads((tmp_path / "named.json").read_text())["rows"]
    assert [row["seconds_asked_for"] for row in rows] == [0.02, 0.05]
    assert rows[0]["steps"] < rows[1]["steps"]
    for row in rows:
        judges = [judge["judge"] for judge in row["averaged"]["judges"]]
        assert judges == [f"{factories}:judge", f"{factories}:second"]
    lines = table(capsys.readouterr().out)
    assert len(lines) == 8 and "in 0.02 s" in lines[0] and "in 0.05 s" in lines[4]
    assert " judge " in lines[0] and " second " in lines[1]


def test_weights_of_judges_follow_their_order(factories, realness, tmp_path) -> None:
    files = []
    for name in ("judge", "second"):
        network = open_network(f"{factories}:{name}")
        state = {key: value + 1 for key, value in network.module.state_dict().items()}
        files.append(tmp_path / f"{name}.safetensors")
        write_weights(files[-1], state, {"about": name})
    flags = [*flags_of(factories, realness, tmp_path / "out"), "--judge", f"{factories}:second"]
    flags += [word for file in files for word in ("--judge-weights", str(file))]
    assert main(["paper", "named", *flags, "--strengths", "0", "--presets", "clean"]) == 0
    found = json.loads((tmp_path / "out" / "named.json").read_text())
    assert [judge["weights"] for judge in found["judges"]] == [str(file) for file in files]


def test_photographs_are_the_last_rows(factories, realness, tmp_path, capsys) -> None:
    folder = tmp_path / "photographs"
    for index in range(10):
        for number in range(2):
            path = folder / f"n{index:02}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 30), (20 * index, 10 * number, 90)).save(path)
    flags = [*flags_of(factories, realness, tmp_path), "--data", str(folder)]
    assert main(["paper", "named", *flags, "--strengths", "0", "--presets", "clean"]) == 0
    *_, row = json.loads((tmp_path / "named.json").read_text())["rows"]
    assert row["photographs"] == 6 and row["classes"] == 3
    assert row["steps"] is None and row["seconds_per_picture"] is None
    assert len(row["real"]["judges"][0]["ranks"]) == 6
    last = table(capsys.readouterr().out)[-1]
    assert last.startswith("6 of photographs") and " real " in last


def test_a_stopped_table_writes_nothing(factories, realness, tmp_path, capsys, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(named, "measure", stop)
    assert main(["paper", "named", *flags_of(factories, realness, tmp_path)]) == INTERRUPTED
    assert "stopped" in capsys.readouterr().out and not list(tmp_path.iterdir())


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
        (["--classes", "11"], "--classes must lie between 1 and 3"),
        (["--seeds", "0"], "--seeds must lie between"),
        (["--seconds", "0"], "--seconds are positive numbers"),
        (["--seconds", "soon"], "--seconds are positive numbers"),
        (["--data", "nowhere.zip"], "nowhere.zip"),
        (["--judge-weights", "a", "--judge-weights", "b"], "2 --judge-weights for 1 judge"),
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
    flags += [
        "--classes",
        "2",
        "--steps",
        "2",
        "--seeds",
        "1",
        "--no-lucent",
        "--out",
        str(tmp_path),
    ]
    assert main(["paper", "named", *flags]) == 2
    assert "use --strengths 0" in capsys.readouterr().err
    assert main(["paper", "named", *flags, "--strengths", "0", "--presets", "clean"]) == 0
