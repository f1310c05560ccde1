"""Networks whose forward passes are special: rendered, replayed to the same pixels, described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ldam_studio.cli import main
from special_networks import LAYOUTS, MIXING, RANDOM, REMEMBERING
from thinned import one_in

CODE = """
import special_networks as made

def of(kinds, name):
    return lambda: (made.build(kinds, name), made.PIXELS)

for kind in ("LAYOUTS", "RANDOM", "MIXING", "REMEMBERING"):
    for number, name in enumerate(getattr(made, kind)):
        globals()[f"{kind}_{number}"] = of(getattr(made, kind), name)
"""

EVERY = {
    name: f"{kind}_{number}"
    for kind, kinds in (
        *(("LAYOUTS", LAYOUTS), ("RANDOM", RANDOM)),
        *(("MIXING", MIXING), ("REMEMBERING", REMEMBERING)),
    )
    for number, name in enumerate(kinds)
}


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "net.py"
    path.write_text(CODE)
    return path


@pytest.mark.parametrize("name", one_in(5, EVERY))
def test_a_picture_of_a_special_network_replays_to_the_same_pixels(name, code, tmp_path, capsys):
    network = ["--network", f"{code}:{EVERY[name]}"]
    kernel = "mala" if len(name) % 2 else "langevin"
    rest = ["--steps", "4", "--kernel", kernel, "--out", str(tmp_path), "--threads", "1"]
    assert main(["render", *network, *rest]) == 0
    capsys.readouterr()
    assert main(["replay", str(tmp_path / "average.png"), "--allow-code", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]


def test_info_and_render_say_what_is_special(code, tmp_path, capsys):
    network = ["--network", f"{code}:{EVERY['batch norm without statistics']}"]
    assert main(["info", *network, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert any("one at a time" in note for note in said["notes"])
    assert main(["render", *network, "--steps", "1", "--out", str(tmp_path)]) == 0
    assert "one at a time" in "".join(capsys.readouterr())


def test_without_randomness_each_step_has_the_same_and_a_recipe_says_so(code, tmp_path, capsys):
    network = ["--network", f"{code}:{EVERY['functional dropout']}", "--steady"]
    assert main(["render", *network, "--steps", "3", "--out", str(tmp_path)]) == 0
    assert "its dropout is left out" in "".join(capsys.readouterr())
    assert main(["replay", str(tmp_path / "average.png"), "--allow-code", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"]
