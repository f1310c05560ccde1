"""``ldam-studio index``: real images that the window then has beside drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.explore.real_images import indexing
from ldam_studio.explore.real_images.index import open_index
from ldam_studio.explore.real_images.sources import Spec, spec_of
from ldam_studio.networks.sources.opening import open_network


def test_the_shipped_digits_are_indexed_and_the_best_printed(capsys) -> None:
    command = ["index", "--images", "digits", "--limit", "500", "--neuron", "fc3:4"]
    assert main([*command, "--neuron", "-conv2:3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("500 images of the shipped digits, 3 layers of lenet, ")
    assert said[1] == "500 of 5,000 were chosen, evenly spaced."
    assert said[2] == "fc3:4 (4)" and said[3].endswith("(class 4)")
    assert said[8] == "-conv2:3" and " at " in said[9]
    index = open_index(open_network("lenet"), Spec("digits"), 500)
    assert index.count("fc3") == index.count("conv2") == 500 and not index.has("fc1")


def test_all_layers_of_a_folder_and_what_could_not_be_read(tmp_path, capsys) -> None:
    for number in range(3):
        pixels = np.full((28, 28), 60 * number, np.uint8)
        pixels[number : number + 9, 4:20] = 255
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert main(["index", "--images", str(tmp_path), "--layers", "all"]) == 0
    said = capsys.readouterr().out
    assert f"3 images of {tmp_path.name}, 12 layers of lenet" in said
    assert "1 of 4 files could not be read: broken.jpg" in said
    index = open_index(open_network("lenet"), spec_of(str(tmp_path)))
    assert all(index.has(layer.name) for layer in index.network.layers)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--images", "nowhere"], "There is no folder or zip nowhere"),
        (["--images", "digits", "--layers", "fc9"], "lenet has no layer 'fc9'"),
        (["--images", "digits", "--limit", "0"], "--limit must lie between 1"),
        (["--images", "digits", "--neuron", "fc3:77"], "neurons 0 to 9, not 77"),
    ],
)
def test_what_cannot_be_indexed_is_one_sentence(flags, words, capsys) -> None:
    assert main(["index", *flags]) == 2
    assert words in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_measured(monkeypatch, capsys) -> None:
    show = indexing._Building._show

    def interrupted(self, items, responder) -> None:
        show(self, items, responder)
        raise KeyboardInterrupt

    command = ["index", "--images", "digits", "--limit", "300"]
    with monkeypatch.context() as during:
        during.setattr(indexing._Building, "_show", interrupted)
        assert main(command) == 130
    assert "goes on from there" in capsys.readouterr().out
    index = open_index(open_network("lenet"), Spec("digits"), 300)
    assert 0 < index.count("fc3") < 300
    assert main(command) == 0
    assert "300 images of the shipped digits" in capsys.readouterr().out
