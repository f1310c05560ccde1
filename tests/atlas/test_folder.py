"""The folder of an atlas: one atlas, whoever begins it."""

from __future__ import annotations

import pytest

from atlas_folders import ALIKE, picture, png_of, row, write_index, write_neuron
from ldam_studio.atlas.folder import INDEX, MOST_LAYERS, AtlasFolder, read_index
from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron

OTHER = {**ALIKE, "settings": {"l2": 0.2}}


def test_a_folder_without_neurons_becomes_that_of_another_atlas(folder):
    """The first try may have failed, for example because no worker fitted."""
    first, other = (AtlasFolder(folder.folder, OTHER) for _ in range(2))
    first.begin(["fc1"])
    assert read_index(folder.folder).layers == ("fc1",)
    other.begin(["fc2"])
    assert read_index(folder.folder).layers == ("fc1", "fc2")
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        folder.check_same()  # of a command that runs meanwhile


def test_of_two_different_atlases_begun_at_once_one_is_refused(tmp_path):
    one, other = (AtlasFolder(tmp_path / "new", each) for each in (ALIKE, OTHER))
    one.begin(["conv1"])
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        other.begin(["conv1"])


def test_the_folder_of_another_atlas_is_refused(folder):
    write_neuron(folder.folder, row(Neuron("conv1", 0)), png_of(picture(0, 16)), None)
    with pytest.raises(StudioError, match="has another atlas, which differs in l2"):
        AtlasFolder(folder.folder, OTHER)
    one, other = (AtlasFolder(folder.folder, ALIKE) for _ in range(2))
    one.begin(["conv2"])
    other.begin(["fc1"])  # of two commands at once, none forgets the other's layers
    assert read_index(folder.folder).layers == ("conv1", "conv2", "fc1")
    write_index(folder.folder, map(str, range(MOST_LAYERS + 1)))
    with pytest.raises(StudioError, match="no index of an atlas"):
        AtlasFolder(folder.folder, ALIKE)
    (folder.folder / INDEX).write_text("[" * 10_000)
    with pytest.raises(StudioError, match="no index of an atlas"):
        AtlasFolder(folder.folder, ALIKE)
