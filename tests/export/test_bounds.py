"""Every number and text of a recipe is checked before it is used; what is wrong is one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from export.test_strangers import forged, made
from ldam_studio.cli import main
from ldam_studio.errors import StudioError
from ldam_studio.export.recipe import Recipe, _hash
from ldam_studio.export.replay import compare

REFERENCE_OF_PICTURE = {
    "sha256": "0" * 64,
    "title": "a",
    "origin": "photograph",
    "shape": [1, 28, 28],
}
REFERENCE = {"name": "lenet", "weights": None, "sha256": "0" * 64}


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("bounds"))


def logged(name: str, value: Any):
    return lambda data: data.update(log=[[1, name, value]])


def everywhere(**values: Any):
    return lambda data: [data[part].update(values) for part in ("session", "end")]


def in_network(**values: Any):
    return lambda data: [
        data[part]["lanes"][0]["network"].update(values) for part in ("session", "end")
    ]


def in_lane(**values: Any):
    return lambda data: [data[part]["lanes"][0].update(values) for part in ("session", "end")]


CHANGES = {
    "second": lambda data: data.update(format=2, second="x"),
    "network that is a list": in_lane(network=[]),
    "no neurons": in_lane(neurons=[]),
    "neurons that are numbers": in_lane(neurons=[1, 2]),
    "90,000 neurons": in_lane(neurons=["fc3:0"] * 90_000),
    "90,000 neurons in the log": logged("neurons", ["fc3:0"] * 90_000),
    "neurons in the log that are none": logged("neurons", 5),
    "a number of chains in letters": logged("chains", "many"),
    "chains without end": logged("chains", 10**30),
    "chains that are kept": logged("keep", list(range(5000))),
    "a seed that is negative": everywhere(seed=-1),
    "a seed of 100 digits": everywhere(seed=10**100),
    "a seed in the log": logged("seed", "x"),
    "threads": lambda data: data["session"]["machine"].update(threads=10**9),
    "a plan": logged("plan", {"precision": [], "threads": {}}),
    "a network in the log": logged("network", []),
    "a network without a name": logged("network", {"sha256": "", "weights": None}),
    "a long name": in_network(name="x" * 100_000),
    "a name longer than files may be": in_network(weights="x" * 5000),
    "pixels that are a text": in_network(pixels="x"),
    "pixels of another kind": in_network(pixels={"channels": 1e308, "height": [], "width": {}}),
    "pixels without end": in_network(pixels={"mean": 5, "std": None}),
    "labels that are a number": in_network(labels=7),
    "files without end": in_network(mean_of=[{"weights": "a", "sha256": ""}] * 5000),
    "a setting that is none": in_lane(settings={"x" * 5000: 1}),
    "a value for each of 90,000 chains": in_lane(settings={"l2": [0.0] * 90_000}),
    "a value that is a dictionary": logged("l2", {"a": 1}),
    "heat": logged("heat", "hot"),
    "a picture of no size": logged("picture", REFERENCE_OF_PICTURE | {"shape": [1, 0, 28]}),
    "a picture without end": logged("picture", REFERENCE_OF_PICTURE | {"shape": [16384] * 3}),
    "a picture from NaN": logged("picture", REFERENCE_OF_PICTURE | {"minimum": 1e300}),
    "a picture with white below black": logged("picture", REFERENCE_OF_PICTURE | {"minimum": 3}),
    "a picture with a long name": logged("picture", REFERENCE_OF_PICTURE | {"title": "x" * 5000}),
    "a picture that is a list": logged("picture", []),
    "chains from a picture of no number": logged("start_from", {"picture": -1}),
    "chains from a picture without chains": logged("start_from", {"picture": 0, "chains": []}),
    "chains with a spread in letters": logged("start_from", {"picture": 0, "spread": "x"}),
    "a rest image that is a text": logged("rest", {"a": 1}),
    "pictures that are a list": lambda data: data.update(pictures=[]),
    "a hundred pictures": lambda data: data.update(pictures={str(n): "" for n in range(100)}),
    "a change of no kind": logged("x" * 5000, None),
    "a change that no log has": logged("\x1b[2J", None),
    "a log that is a number": lambda data: data.update(log=5),
    "a log of texts": lambda data: data.update(log=["x"]),
    "a log without end": lambda data: data.update(log=[[0, "restart", None]] * 200_000),
    "steps without end": lambda data: data.update(step=10**30),
    "a session that is a list": lambda data: data.update(session=[]),
    "a session that is empty": lambda data: data.update(session={}),
    "a session file without a name": lambda data: data.update(session={"sidecar": 3}),
    "lanes": lambda data: data.update(lanes=[{}] * 100),
    "what is shown": lambda data: data.update(shown={"front": []}),
    "a machine": lambda data: data.update(machine={"torch": {"a": []}}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_sentence_without_the_names_of_errors(picture, capsys, what):
    path = forged(picture, CHANGES[what])
    assert main(["replay", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and len(said) < 900 and said[:-1].isprintable(), said
    for word in ("Traceback", "Error:", "object has no attribute", "NoneType"):
        assert word not in said


def test_json_that_is_deeper_than_any_recipe():
    for text in (
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 5000,
        '{"log":' + "[" * 900 + "]" * 900 + "}",
    ):
        with pytest.raises(StudioError):
            Recipe.parse(text, "a.png")
    deep: Any = None
    for _ in range(800):
        deep = [deep]
    data = {"format": 3, "log": [[0, "l2", deep]]}
    with pytest.raises(StudioError):
        Recipe.parse(json.dumps(data | {"sha256": _hash(data)}), "a.png")


def test_what_is_within_bounds_replays(picture):
    found = compare(forged(picture, in_network(labels="a" * 4000)))
    assert found is not None and found.identical
