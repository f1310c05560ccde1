"""The index of real images: what it says of neurons, and what is kept of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from explore.real_pictures import SIDE, encoded, folder_of, scene, small_network
from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images import folders, indexing, shards
from ldam_studio.explore.real_images.data_sets import DIGITS
from ldam_studio.explore.real_images.index import open_index
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.pictures import as_pixels, stacked
from ldam_studio.explore.real_images.responses import Responder
from ldam_studio.explore.real_images.sources import Spec, found_for, spec_of
from ldam_studio.explore.real_images.standing import report_words
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.progress import Listener, Stopped

LAYERS = ("0", "1", "2", "4", "6")


@pytest.fixture
def network():
    return small_network()


@pytest.fixture
def photos(tmp_path):
    return folder_of(tmp_path / "photos", 12)


def indexed(network, place, layers=LAYERS, limit=0):
    spec = spec_of(str(place))
    build(network, spec, layers, limit)
    return open_index(network, spec, limit)


def shown(index, network):
    """Return all images of an index in pixel units."""
    pictures = index.pictures(range(len(index.catalogue.names)))
    return as_pixels(stacked([pictures[n] for n in sorted(pictures)]), network.pixels)


def looked(monkeypatch):
    """Note how many images are shown to networks from now on."""
    counts: list[int] = []
    of = Responder.of

    def counted(self, x):
        counts.append(len(x))
        return of(self, x)

    monkeypatch.setattr(Responder, "of", counted)
    return counts


@pytest.mark.parametrize("sign", [1, -1])
def test_every_unit_has_the_value_and_place_that_plain_passes_give(network, photos, sign) -> None:
    index = indexed(network, photos)
    x = shown(index, network)
    for layer in LAYERS:
        output = network.output(x, layer).flatten(2) if layer in "012" else None
        for unit in (0, 2):
            found = index.responses(Neuron(layer, unit, sign=sign))
            order = np.argsort(found.images)
            values = torch.from_numpy(found.values[order])
            if output is None:
                expected = sign * network.output(x, layer)[:, unit]
                assert found.places is None
            else:
                expected = (sign * output[:, unit]).amax(1)
                width = network.layer(layer).shape[2]
                flat = found.places[order] @ np.array([width, 1])
                torch.testing.assert_close(output[torch.arange(len(x)), unit, flat], sign * values)
            torch.testing.assert_close(values, expected)


def test_the_mean_over_places_is_what_its_objective_says(network, photos) -> None:
    index = indexed(network, photos)
    found = index.responses(Neuron("2", 1, "mean"))
    expected = network.output(shown(index, network), "2").flatten(2).mean(2)[:, 1]
    torch.testing.assert_close(torch.from_numpy(found.values[np.argsort(found.images)]), expected)
    assert found.places is None and index.top(found, 1)[0].box is None


def test_the_best_images_come_first_with_what_the_unit_sees(network, photos) -> None:
    index = indexed(network, photos)
    found = index.responses(Neuron("2", 1))
    best = index.top(found, 4)
    assert [each.value for each in best] == sorted(found.values.tolist())[:-5:-1]
    top, left, bottom, right = best[0].box
    pixels = shown(index, network)[best[0].image][None].clone()
    kept = pixels.clone()
    kept[:] = network.pixels.rest
    kept[..., top:bottom, left:right] = pixels[..., top:bottom, left:right]
    y, x = best[0].place
    assert network.output(kept, "2")[0, 1, y, x].item() == pytest.approx(best[0].value, abs=1e-5)


def test_nearly_the_same_images_count_once_among_the_best(network, photos) -> None:
    index = indexed(network, photos)
    best = index.top(index.responses(Neuron("6", 0)), 2)
    picture = Image.open(photos / best[0].name)
    picture.save(photos / "again.jpg", quality=92)
    picture.point(lambda level: 0.9 * level + 9).save(photos / "darker.png")
    (photos / "copy.png").write_bytes((photos / best[0].name).read_bytes())
    index = indexed(network, photos)
    names = [each.name for each in index.top(index.responses(Neuron("6", 0)), 3)]
    same = {best[0].name, "again.jpg", "darker.png", "copy.png"}
    assert len(same & set(names)) == 1 and best[1].name in names
    assert index.count("6") == 14 and index.report.copies == 1


def test_examples_at_quantiles_span_the_range(network, photos) -> None:
    index = indexed(network, photos)
    found = index.responses(Neuron("6", 1))
    values = [each.value for each in index.at_quantiles(found, (0, 0.5, 1))]
    assert values[0] == found.values.min() and values[2] == found.values.max()
    assert values[1] == np.sort(found.values)[6]


def test_known_images_are_not_shown_again(network, photos, monkeypatch) -> None:
    indexed(network, photos)
    counts = looked(monkeypatch)
    indexed(network, photos)
    assert not counts
    folder_of(photos, 2, first=50)
    (photos / "001.png").rename(photos / "elsewhere.png")
    index = indexed(network, photos)
    assert sum(counts) == 2 and index.count("6") == 14
    other = small_network(seed=1)
    assert open_index(other, spec_of(str(photos))).count("6") == 0
    indexed(other, photos)
    assert sum(counts) == 2 + 14


def test_more_layers_are_measured_alone(network, photos, monkeypatch) -> None:
    indexed(network, photos, ("6",))
    index = open_index(network, spec_of(str(photos)))
    assert not index.has("2")
    with pytest.raises(StudioError, match="2 is not in the index"):
        index.responses(Neuron("2", 0))
    asked = []
    of = Responder.of
    monkeypatch.setattr(
        Responder, "of", lambda self, x: asked.append(tuple(self.layers)) or of(self, x)
    )
    assert indexed(network, photos, ("6", "2")).count("2") == 12
    assert set(asked) == {("2",)}


def test_what_was_measured_before_it_was_stopped_is_kept(network, photos, monkeypatch) -> None:
    monkeypatch.setattr(indexing, "batch_of", lambda _network: 4)
    counts = looked(monkeypatch)

    def hear(stage) -> None:
        if stage.done == 4:
            listener.stop()  # it ends once it says more, after the next batch

    listener = Listener(hear)
    spec = spec_of(str(photos))
    with listener.heard_on(), pytest.raises(Stopped):
        build(network, spec, LAYERS)
    index = open_index(network, spec)
    assert index.count("6") == sum(counts) == 8
    assert "Indexing was stopped" in report_words(index.report, 12)
    assert indexed(network, photos).report.complete and sum(counts) == 12


@pytest.mark.parametrize("damage", ["cut", "foreign", "changed", "place"])
def test_a_damaged_cache_is_measured_again(network, photos, damage, monkeypatch) -> None:
    index = indexed(network, photos)
    expected = index.responses(Neuron("2", 1))
    (shard,) = (shards.folder() / shards.key_of(network)).glob("*.safetensors")
    content = bytearray(shard.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "foreign":
        content[:] = b"PK\3\4" + bytes(100)
    elif damage == "changed":
        content[-3] ^= 0x40
    else:
        content[-2000:] = b"\xff" * 2000
    shard.write_bytes(content)
    counts = looked(monkeypatch)
    again = indexed(network, photos)
    assert sum(counts) == 12
    np.testing.assert_array_equal(again.responses(Neuron("2", 1)).values, expected.values)


def test_a_damaged_list_of_images_is_made_again(network, photos) -> None:
    indexed(network, photos)
    (listed,) = shards.folder().glob("*.safetensors")
    for content in (b"", b"\xff" * 200, listed.read_bytes()[:-40]):
        listed.write_bytes(content)
        assert open_index(network, spec_of(str(photos))) is None
        assert indexed(network, photos).count("6") == 12


def test_a_limit_takes_images_evenly(network, photos) -> None:
    index = indexed(network, photos, limit=4)
    assert index.count("6") == 4 and index.report.total == 12
    every = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    assert list(index.catalogue.names) == every[::3]
    assert "4 of 12 were chosen, evenly spaced" in report_words(index.report, 4)


def test_too_much_for_the_cache_is_refused_before_any_work(network, photos, monkeypatch) -> None:
    monkeypatch.setattr(shards, "MOST_BYTES", 1000)
    with pytest.raises(StudioError, match="choose fewer layers or fewer images"):
        indexed(network, photos)


def test_other_networks_make_room(network, photos, monkeypatch) -> None:
    other = small_network(seed=1)
    indexed(other, photos)
    kept = (shards.folder() / shards.key_of(other)).glob("*")
    place = shards.folder() / shards.key_of(network)
    monkeypatch.setattr(shards, "MOST_BYTES", 1.5 * sum(path.stat().st_size for path in kept))
    indexed(network, photos)
    assert [each for each in shards.folder().iterdir() if each.is_dir()] == [place]


def test_shipped_digits_suit_lenet_as_they_are() -> None:
    network = open_network("lenet")
    spec = Spec(DIGITS)
    assert spec in found_for(network.pixels, None)
    build(network, spec, ("fc3",), 200)
    index = open_index(network, spec, 200)
    best = index.top(index.responses(Neuron("fc3", 4)), 3)
    assert all("(class 4)" in each.name for each in best)
    image = index.pictures([best[0].image])[best[0].image]
    x = torch.from_numpy(image)[None].float() / 255
    assert network.output(x, "fc3")[0, 4].item() == pytest.approx(best[0].value, abs=1e-3)


def test_a_network_of_other_channels_says_so(photos) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(5, 4, 3), torch.nn.Flatten())
    pixels = PixelSpec(5, SIDE, SIDE, (0.0,) * 5, (1.0,) * 5)
    network = Network("five", module.eval(), pixels)
    with pytest.raises(StudioError, match="5 channels, but real pictures have one or three"):
        build(network, spec_of(str(photos)), ("0",))


def test_a_folder_without_pictures_is_one_sentence(network, tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(StudioError, match="contains no pictures"):
        build(network, spec_of(str(tmp_path)), ("6",))
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(StudioError, match=r"None of the 1 pictures .*a.png: not a picture"):
        build(network, spec_of(str(tmp_path)), ("6",))
    with pytest.raises(StudioError, match="There is no folder or zip"):
        spec_of(str(tmp_path / "nowhere"))


def test_looking_through_very_many_files_can_be_stopped(network, tmp_path, monkeypatch) -> None:
    class Entry:
        def __init__(self, number: int) -> None:
            self.name = f"{number}.jpg"

        def is_dir(self, *, follow_symlinks: bool) -> bool:
            return False

        def stat(self):
            return (tmp_path).stat()

    class Entries:
        def __enter__(self):
            return (Entry(number) for number in range(200_000))

        def __exit__(self, *_error) -> None:
            pass

    monkeypatch.setattr(folders.os, "scandir", lambda _place: Entries())
    heard = []

    def hear(stage) -> None:
        heard.append(stage.doing)
        if len(heard) == 20:
            listener.stop()

    listener = Listener(hear)
    with listener.heard_on(), pytest.raises(Stopped):
        build(network, Spec("folder", str(tmp_path)), ("6",))
    assert heard[-1].startswith("looking for pictures: ") and len(heard) < 25


def test_one_picture_is_enough(network, tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(scene(1), "JPEG"))
    index = indexed(network, tmp_path)
    (only,) = index.top(index.responses(Neuron("6", 0)), 5)
    assert only.name == "a.jpg"


class Twice(torch.nn.Module):
    """Calls a module twice, overwrites what it is given, and returns a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 3, padding=1)
        self.relu = torch.nn.ReLU(inplace=True)
        self.head = torch.nn.Linear(3, 4)

    def forward(self, x):
        x = self.relu(self.conv(self.relu(self.conv(x))) + x)
        pooled = x.mean((2, 3))
        return {"logits": self.head(pooled), "features": pooled * 2}


def test_one_pass_gives_what_a_pass_to_each_layer_gives() -> None:
    torch.manual_seed(2)
    network = Network("twice", Twice().eval(), small_network().pixels)
    names = [layer.name for layer in network.layers]
    assert {"conv", "conv#2", "relu#2", "head"} < set(names)
    x = torch.rand(3, *network.pixels.shape)
    found = Responder(network, names).of(x)
    for name in names:
        output = network.output(x, name)
        part = "high" if output.ndim > 2 else "value"
        expected = output.flatten(2).amax(2) if output.ndim > 2 else output
        torch.testing.assert_close(torch.from_numpy(found[name][part]), expected)
