"""A network, weights or labels that will not do: one sentence, exit code 2, nothing run unasked."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ldam_studio.cli import main

CODE = """
import torch
from torch import nn

def model(classes=5):
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(784, classes)
    module = nn.Sequential(*layers)
    module.pixels = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.5] * 3, rest=0.5)
    return module

def raising():
    raise ValueError("no luck\\nand a second line")

def asking(size):
    return model()

def number():
    return 3

class Out(nn.Module):
    pixels = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.5] * 3, rest=0.5)
    def __init__(self, give):
        super().__init__()
        self.give = give
    def forward(self, x):
        return self.give(x)

def nothing():
    return Out(lambda x: None)

def text():
    return Out(lambda x: {"label": "cat", "score": 0.3})

def scalar():
    return Out(lambda x: x.sum())

def failing():
    return Out(lambda x: x.reshape(1, 7, 13))

def damaged():
    module = model()
    module.pixels["std"] = "wide"
    return module

NOT_A_FUNCTION = 3
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(CODE)
    Path("ending.py").write_text("import sys\nsys.exit(3)\n")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["info", "--network", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ldam-studio: ")
    assert captured.err.count("\n") == 1, captured.err
    return captured.err


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("none.py:model", "There is no file none.py"),
        ("mine.py:absent", "mine.py has no function 'absent'"),
        ("mine.py:NOT_A_FUNCTION", "mine.py has no function 'NOT_A_FUNCTION'"),
        ("mine.py:", "mine.py has no function ''"),
        ("no.such.package:model", "no.such.package cannot be imported"),
        (":model", "cannot be imported"),
        ("ending.py:model", "ending.py cannot be imported (SystemExit: 3)"),
        ("mine.py:raising", "mine.py:raising failed (ValueError: no luck)"),
        ("mine.py:asking", "needs the argument size, but is called without arguments"),
        ("mine.py:number", "mine.py:number returned int, not a torch.nn.Module"),
        ("mine.py:nothing", "has no units to look at"),
        ("mine.py:text", "has no units to look at"),
        ("mine.py:scalar", "has no units to look at"),
        ("mine.py:failing", "fails on an image of 3 x 16 x 16 after its layer (none)"),
        ("mine.py:damaged", "description of the input is incomplete or damaged"),
        ("torchvision:resnet19", "no classification model 'resnet19'"),
        ("torchvision:", "no classification model ''"),
    ],
)
def test_networks(capsys: pytest.CaptureFixture[str], network: str, says: str):
    assert says in refused(capsys, network)


def test_an_input_of_another_size_names_the_layer_and_what_it_is_given(
    capsys: pytest.CaptureFixture[str],
):
    size = ["--input-size", "3x20x20", "--mean", "0.5", "--std", "0.5"]
    said = refused(capsys, "mine.py:model", *size)
    assert (
        "an image of 3 x 20 x 20 in its layer 3 (Linear), which is given 1296 (RuntimeError" in said
    )


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (["--input-size", "3x16x16"], "give all three"),
        (["--mean", "0.5"], "give all three"),
        (["--input-size", "3x16", "--mean", "0.5", "--std", "0.5"], "3x224x224"),
        (["--input-size", "3x16x16", "--mean", "a", "--std", "0.5"], "numbers with commas"),
        (
            ["--input-size", "3x16x16", "--mean", "0.5,0.5", "--std", "0.5"],
            "each channel, 3 in all",
        ),
        (
            ["--input-size", "1x16x16", "--mean", "imagenet", "--std", "1"],
            "ImageNet's three channels",
        ),
        (["--input-size", "0x16x16", "--mean", "0.5", "--std", "0.5"], "makes no sense"),
        (["--input-size", "3x16x16", "--mean", "0.5", "--std", "0"], "must be above 0"),
    ],
)
def test_a_description_of_the_input(capsys: pytest.CaptureFixture[str], size: list[str], says: str):
    assert says in refused(capsys, "mine.py:model", *size)


def test_weights_of_another_architecture(capsys: pytest.CaptureFixture[str]):
    save_file({"fc.weight": torch.ones(2, 2), "0.weight": torch.ones(4, 3, 5, 5)}, "w.safetensors")
    said = refused(capsys, "mine.py:model", "--weights", "w.safetensors")
    assert "3 weights are missing (the first is 0.bias)" in said
    assert "1 weights are unknown (the first is fc.weight)" in said
    assert "(the first is 0.weight (4, 3, 5, 5) for (4, 3, 3, 3))" in said
    # Also where a part is enough, something must fit.
    assert "another architecture" in refused(
        capsys, "mine.py:model", "--weights", "w.safetensors", "--partial"
    )


def test_weights_without_tensors(capsys: pytest.CaptureFixture[str]):
    torch.save({"epoch": 3}, "w.pt")
    assert "contains no weights" in refused(capsys, "mine.py:model", "--weights", "w.pt")
    torch.save([torch.ones(2)], "w.pt")
    assert "does not contain a state dict" in refused(capsys, "mine.py:model", "--weights", "w.pt")


class Sealed:
    """A network that pickles itself as bytes that only its own code can read."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self._state = state

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self._state

    def __reduce__(self) -> object:
        file = BytesIO()
        torch.save(self._state, file)
        return unsealed, (zlib.compress(file.getvalue()),)


def unsealed(data: bytes) -> Sealed:
    return Sealed(torch.load(BytesIO(zlib.decompress(data))))


@pytest.mark.parametrize("wrap", [lambda sealed: sealed, lambda sealed: {"n": 3, "net": sealed}])
def test_what_only_code_can_read_is_refused_with_a_line_that_works_as_printed(
    capsys: pytest.CaptureFixture[str], wrap: Callable[[Sealed], object]
):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))
    torch.save(wrap(Sealed(model.state_dict())), "sealed.pt")
    said = refused(capsys, "mine.py:model", "--weights", "sealed.pt")
    assert "sealed.pt has no tensors that can be read without its own code" in said
    exec("import torch; " + said.rpartition("import torch; ")[2].rstrip().rstrip("."))
    assert main(["info", "--network", "mine.py:model", "--weights", "sealed-weights.pt"]) == 0


@pytest.mark.parametrize("lines", [0, 4, 6])
def test_labels_of_the_wrong_length(capsys: pytest.CaptureFixture[str], lines: int):
    Path("labels.txt").write_text("name\n" * lines + "\n")
    said = refused(capsys, "mine.py:model", "--labels", "labels.txt")
    assert f"labels.txt has {lines} labels, but the network has 5 outputs" in said


def test_labels_that_cannot_be_read(capsys: pytest.CaptureFixture[str]):
    Path("labels.txt").write_bytes(b"\xff\xfe\xff")
    assert "cannot be read" in refused(capsys, "mine.py:model", "--labels", "labels.txt")
    assert "cannot be read" in refused(capsys, "mine.py:model", "--labels", "none.txt")
    said = refused(capsys, "mine.py:model", "--labels", "imagenet")
    assert "imagenet has 1000 labels, but the network has 5 outputs" in said


def test_code_with_a_name_longer_than_files_may_have(capsys):
    assert main(["info", "--network", "z" * 300 + ".py:f"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
