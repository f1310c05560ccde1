"""Networks in the window: how they start, how they are shown, and which were opened last."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton
from torch import nn

from gui.windows import CPU, close_saved, controls, files, open_in, small_opening, until
from ldam_studio.cli import main
from ldam_studio.commands import studio as command
from ldam_studio.errors import StudioError
from ldam_studio.gui.app import main as app
from ldam_studio.gui.app.application import opening_of
from ldam_studio.gui.frame_words import shorter_names
from ldam_studio.gui.network_dialog import source
from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.session.model import IMAGE, SIGNED
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.settings.feature import DENOISER_SETTINGS
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.families import short_name, to_download
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.request import (
    MOST,
    NetworkRequest,
    RecentNetworks,
)
from ldam_studio.sampler.presets import CLOUDY, find_preset
from ldam_studio.sampler.settings import Settings

FACTORY = """
from torch import nn

def tiny():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module.pixels = dict(channels=3, height=12, width=20, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)
    return module
"""


@pytest.fixture(autouse=True)
def _no_torchvision(monkeypatch):
    monkeypatch.setattr(source, "_listed", ("resnet18",))


@pytest.fixture
def factory(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    return f"{path}:tiny"


def network_of(channels, height, width, classes=6):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential()
        module.add_module("a_rather_long_name_of_a_layer", nn.Conv2d(channels, 4, 5, stride=4))
        module.add_module("pool", nn.AdaptiveAvgPool2d(1))
        module.add_module("flatten", nn.Flatten())
        module.add_module("head", nn.Linear(4, classes))
    half, quarter = (0.5,) * channels, (0.25,) * channels
    return Network(
        "torchvision:odd", module, PixelSpec(channels, height, width, half, quarter, 0.5)
    )


def enter(widget):
    QTest.keyClick(widget, Qt.Key.Key_Return)


# How they start


def test_photographs_start_legible():
    opening = network_opening(network_of(3, 224, 224), CPU)
    state = opening.make()
    settings = state.lane.settings
    assert [str(n) for n in state.lane.neurons] == [f"head:{i}" for i in range(6)]
    clean = find_preset("clean").values((3, 224, 224), discriminator=False)
    assert settings == Settings.of(**clean).for_chains(6)
    assert state.discriminator is not None and settings.discriminator_weight == 0
    assert network_opening(network_of(3, 100, 100), CPU).make().discriminator is None
    assert opening.display.mode == IMAGE
    assert opening.title == "odd"
    # Of many classes one is shown, since each further chain takes as long again.
    assert len(network_opening(network_of(3, 224, 224, 11), CPU).make().lane.neurons) == 1


def test_the_denoiser_is_offered_where_it_can_be_used(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening())
    rows = [controls(window).rows[name] for name in DENOISER_SETTINGS]
    assert not any(row.isEnabled() for row in rows)
    for size in ((64, 80), (32, 32)):
        open_in(window, qtbot, network_opening(network_of(3, *size), CPU))
        assert all(row.isEnabled() for row in rows)
    open_in(window, qtbot, network_opening(network_of(3, 20, 32), CPU))
    assert not any(row.isEnabled() for row in rows)


def test_photographs_of_cifar_10_s_size_start_legible_too():
    opening = network_opening(network_of(3, 32, 32), CPU)
    state = opening.make()
    settings = state.lane.settings
    clean = find_preset("clean").values((3, 32, 32), discriminator=False)
    assert settings == Settings.of(**CLOUDY, **clean).for_chains(10)
    assert state.discriminator.name == "cifar10-discriminator"
    assert settings.discriminator_weight == 0 and settings.jitter == 2
    assert opening.display.mode == IMAGE


def test_digits_of_ones_own_network_start_with_the_defaults():
    state = network_opening(network_of(1, 28, 28), CPU).make()
    assert state.lane.settings == Settings().for_chains(10)
    assert state.discriminator.name == "lenet-discriminator"


def test_other_networks_start_with_the_defaults():
    opening = network_opening(network_of(3, 16, 16), CPU)
    state = opening.make()
    assert state.lane.settings == Settings().for_chains(10)
    assert opening.display.mode == SIGNED


def test_built_in_networks_start_with_their_discriminator():
    state = network_opening(open_network("lenet-averaged"), CPU).make()
    assert state.lane.network.name == "lenet-averaged"
    assert state.discriminator.name == "lenet-discriminator"
    assert state.lane.settings.clamp


# How they are shown


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        ((3, 224, 224), (3, 128, 128)),  # photographs start with few pixels
        ((1, 40, 300), (1, 40, 300)),
        ((2, 31, 17), (2, 31, 17)),
        ((6, 64, 64), (6, 32, 32)),
    ],
)
def test_any_shape_is_shown(make_window, qtbot, shape, first):
    window = make_window()
    open_in(window, qtbot, network_opening(network_of(*shape), CPU))
    frame = window.last_frame
    assert frame.lanes[0].raw.shape == first
    assert max(frame.lanes[0].thumbnails.shape[1:3]) <= 96
    raw, average = window.canvas.image_rects()
    canvas = QRect(0, 0, window.canvas.width(), window.canvas.height())
    assert canvas.contains(raw) and canvas.contains(average)
    # Whole device pixels where they use the room, else all of the room.
    room = canvas.width() // 2 - 40, canvas.height() - 120
    whole = raw.width() % shape[2] == 0 and raw.width() >= 3 * shape[2]
    assert whole or raw.width() >= room[0] or raw.height() >= room[1]
    strip = window.strip
    assert strip.layout_now.size[1] <= window.panels.strip.viewport().height()
    until(qtbot, lambda: not np.array_equal(window.last_frame.lanes[0].raw, frame.lanes[0].raw))


def test_a_photograph_uses_its_room_and_is_shrunk_in_a_small_window(make_window, qtbot):
    window = make_window()
    window.resize(1280, 820)
    open_in(window, qtbot, network_opening(network_of(3, 224, 224), CPU))
    raw, average = window.canvas.image_rects()
    assert raw.left() + window.canvas.width() - average.right() < 40
    assert raw.width() == raw.height() > 280
    window.canvas.resize(400, 300)
    raw, _ = window.canvas.image_rects()
    assert 150 < raw.width() < 224
    assert raw.width() == raw.height()
    window.canvas.grab()


def test_long_names_are_shortened_but_not_their_numbers():
    assert shorter_names("layer1.0.conv2:17") == ("conv2:17",)
    assert shorter_names("great white shark · output:2") == ("great white shark",)


# Opening and remembering


def test_a_network_opens_from_the_dialog_and_is_remembered(make_window, qtbot, tmp_path, factory):
    window = open_in(make_window(store=SessionStore(tmp_path / "s")), qtbot, small_opening())
    window.actions_by_name["open_network"].trigger()
    (dialog,) = window.findChildren(NetworkDialog)
    dialog.set_request(NetworkRequest(factory))
    dialog.source.code.agreed.setChecked(True)
    enter(dialog)
    until(qtbot, lambda: dialog.network is not None)
    enter(dialog)
    until(qtbot, lambda: window.model.outline.lane.network.name == factory)
    until(qtbot, lambda: window.last_frame is not None and window.last_frame.step > 0)
    assert window.last_frame.lanes[0].raw.shape == (3, 12, 20)
    assert window.windowTitle().startswith("mine.py:tiny")
    assert window.studio.recent.read() == (NetworkRequest(factory),)
    until(qtbot, lambda: not STRAGGLERS)


def test_the_dialog_begins_where_it_was_left(make_window, qtbot, factory, tmp_path):
    window = open_in(make_window(), qtbot, network_opening(open_network(factory), CPU))
    # One's own code that is open comes first, then what was filled in last.
    dialog = files(window).ask_for_network()
    assert dialog.source.name == factory and not dialog.source.ready
    dialog.source.choose(source.BUILT_IN)
    dialog.choice.random.setChecked(True)
    dialog.reject()
    until(qtbot, lambda: not window.findChildren(NetworkDialog))
    dialog = files(window).ask_for_network()
    assert dialog.source.kind == source.BUILT_IN and dialog.choice.random.isChecked()
    dialog.reject()
    # What a menu opens at once does not take its place.
    files(window).ask_for_network(NetworkRequest("lenet-averaged"))
    until(qtbot, lambda: window.model.outline.lane.network.name == "lenet-averaged")
    until(qtbot, lambda: not window.findChildren(NetworkDialog))
    dialog = files(window).ask_for_network()
    assert dialog.source.name == "lenet" and dialog.choice.random.isChecked()
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


def test_recent_networks_open_at_once_unless_they_are_code(make_window, qtbot, tmp_path, factory):
    store = SessionStore(tmp_path / "s")
    RecentNetworks(store.folder / "networks.json").add(NetworkRequest(factory))
    RecentNetworks(store.folder / "networks.json").add(NetworkRequest("lenet-averaged"))
    window = open_in(make_window(store=store), qtbot, small_opening())
    (file_menu, *_) = (a.menu() for a in window.menuBar().actions())
    file_menu.aboutToShow.emit()
    averaged, code = files(window).networks.recent.actions()
    assert [averaged.text(), code.text()] == ["&1  lenet-averaged", "&2  mine.py:tiny"]
    averaged.trigger()
    until(qtbot, lambda: window.model.outline.lane.network.name == "lenet-averaged")
    code.trigger()
    dialog = window.findChildren(NetworkDialog)[-1]
    assert not dialog.is_loading
    assert dialog.source.name == factory
    assert not dialog.load_button.isEnabled()
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


def test_what_needs_no_download_opens_with_one_click(make_window, qtbot, monkeypatch, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    name = to_download("torchvision:squeezenet1_1").file
    (tmp_path / "checkpoints" / name).write_bytes(b"")
    (tmp_path / "checkpoints" / "resnet50-of-mine.pth").write_bytes(b"")
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    window = open_in(make_window(), qtbot, small_opening())
    (file_menu, *_) = (a.menu() for a in window.menuBar().actions())
    menu = files(window).networks.at_once
    assert [a.text() for a in menu.actions()] == list(NETWORKS)
    assert menu.menuAction() in file_menu.actions()
    file_menu.aboutToShow.emit()
    until(qtbot, lambda: len(menu.actions()) > len(NETWORKS))
    assert [a.text() for a in menu.actions()] == [*NETWORKS, "", "squeezenet1_1"]
    assert menu.actions()[-1].toolTip() == "torchvision:squeezenet1_1"
    menu.actions()[1].trigger()
    until(qtbot, lambda: window.model.outline.lane.network.name == "lenet-averaged")
    until(qtbot, lambda: not STRAGGLERS)


def test_weights_for_a_network_of_ones_own_go_by_the_dialog(make_window, qtbot, factory, tmp_path):
    network = open_network(factory)
    window = open_in(make_window(), qtbot, network_opening(network, CPU))
    path = tmp_path / "mine.pt"
    torch.save(network.module.state_dict(), path)
    files(window).open(path)
    (dialog,) = window.findChildren(NetworkDialog)
    assert dialog.wish() == NetworkRequest(factory, path)
    assert not dialog.source.ready
    dialog.reject()


def test_a_dropped_python_file_asks_before_it_is_run(studio, qtbot, factory):
    path = Path(factory.removesuffix(":tiny"))
    files(studio).open(path)
    (dialog,) = studio.findChildren(NetworkDialog)
    assert dialog.source.name == factory
    assert not dialog.is_loading
    until(qtbot, dialog.isActiveWindow)
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Space)
    enter(dialog.focusWidget())
    until(qtbot, lambda: dialog.network is not None)
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


def test_only_the_last_few_are_remembered(tmp_path):
    recent = RecentNetworks(tmp_path / "networks.json")
    assert recent.read() == ()
    whole = NetworkRequest(
        "torchvision:vgg16",
        tmp_path / "w.pt",
        tmp_path / "l.txt",
        True,
        PixelSpec(3, 8, 9, (0.1, 0.2, 0.3), (1.0,) * 3, 0.25),
    )
    for i in range(MOST + 3):
        recent.add(NetworkRequest(f"torchvision:{i}"))
    recent.add(whole)
    recent.add(replace(whole, partial=False))
    found = RecentNetworks(tmp_path / "networks.json").read()
    assert len(found) == MOST
    assert found[0] == replace(whole, partial=False)
    assert [r.name for r in found[1:3]] == ["torchvision:10", "torchvision:9"]
    assert found[0].title == "vgg16 · w.pt"
    assert short_name("/a/b.py:f") == "b.py:f"


def test_a_list_of_version_0_1_0_is_read(tmp_path):
    path = tmp_path / "networks.json"
    pixels = {"channels": 1, "height": 8, "width": 9, "mean": [0.5], "std": [1], "rest": 0}
    pixels |= {"minimum": 0.0, "maximum": 1.0, "shown": []}
    old = [
        {"name": "a.py:f", "weights": "/w.pt", "labels": None, "partial": True, "pixels": pixels},
        {"name": "lenet", "weights": None, "labels": "imagenet", "partial": False, "pixels": None},
    ]
    path.write_text(json.dumps({"version": 1, "networks": old}))
    assert RecentNetworks(path).read() == (
        NetworkRequest("a.py:f", Path("/w.pt"), None, True, PixelSpec(1, 8, 9, (0.5,), (1.0,))),
        NetworkRequest("lenet", labels=Path("imagenet")),
    )


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"3", b'{"version": 1}', b'{"version": 1, "networks": [{"name": 3}]}'],
)
def test_a_damaged_list_is_an_empty_one(tmp_path, damage):
    path = tmp_path / "networks.json"
    path.write_bytes(damage)
    recent = RecentNetworks(path)
    assert recent.read() == ()
    recent.add(NetworkRequest("lenet"))
    assert json.loads(path.read_bytes())["networks"][0]["name"] == "lenet"


# From the command line


def test_a_network_named_on_the_command_line_opens(factory):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    start = command.start_of(parser.parse_args(["--network", factory]))
    assert opening_of(start).make().lane.network.name == factory
    assert start.named.request == NetworkRequest(factory)
    start = command.start_of(parser.parse_args([]))
    assert start.named is None and opening_of(start) is None


def test_a_session_of_own_code_goes_on_after_a_click_and_not_before(
    make_window, qtbot, tmp_path, factory
):
    store = SessionStore(tmp_path / "state")
    opening = network_opening(open_network(factory), CPU)
    window = open_in(make_window(store=store), qtbot, opening)
    window.controller.set_neurons(Neuron("0", 3))
    until(qtbot, lambda: window.last_frame.lanes[0].neurons[0] == Neuron("0", 3))
    step = window.last_frame.step
    close_saved(window, qtbot)

    again = make_window(store=store)
    recalled = again.recall()
    open_in(again, qtbot, recalled.opening)
    assert again.model.outline.lane.network.name == "lenet"
    (text,) = again.banner.texts()
    assert text.startswith(f"The last session runs your own code, {factory}")
    (go_on,) = [b for b in again.banner.findChildren(QPushButton) if b.text() == "Continue it"]
    go_on.click()
    until(qtbot, lambda: again.model.outline.lane.network.name == factory)
    until(qtbot, lambda: again.last_frame is not None and again.last_frame.step >= step)
    assert again.last_frame.lanes[0].neurons[0] == Neuron("0", 3)
    # Named on the command line it begins anew, and offers the same.
    assert recalled.network == factory
    close_saved(again, qtbot)


@pytest.fixture
def unknown(tmp_path):
    """A network of which nothing tells what images it takes, and the flags that name it."""
    path = tmp_path / "unknown.py"
    path.write_text(FACTORY.replace("module.pixels = ", "pixels = "))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(["--network", f"{path}:tiny"])


def test_an_input_that_the_command_line_leaves_out_is_asked_for(
    make_window, qtbot, monkeypatch, unknown
):
    monkeypatch.setattr(command, "no_display", lambda: "")
    named, asked = command.named_or_unknown(unknown, CPU)
    assert (named, asked) == (None, NetworkRequest(unknown.network))
    window = make_window()
    open_in(window, qtbot, small_opening())
    app.ask_for_input(window, asked)
    dialog = window.findChild(NetworkDialog)
    assert dialog.card.sentence.startswith("The code does not say what images")
    assert not dialog.input.is_chosen
    dialog.input.give(PixelSpec(3, 12, 20, (0.5,) * 3, (0.25,) * 3, rest=0.5))
    dialog.load_button.click()
    until(qtbot, lambda: not dialog.is_loading)
    assert dialog.card.sentence == ""
    assert dialog.network.pixels.shape == (3, 12, 20)
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


def test_without_a_window_to_ask_in_the_flags_are_named(monkeypatch, unknown):
    monkeypatch.setattr(command, "no_display", lambda: "there is no display")
    with pytest.raises(StudioError, match="give --input-size, --mean and --std"):
        command.named_or_unknown(unknown, CPU)


@pytest.mark.parametrize("flag", ["compare", "compare_set", "neuron", "seed"])
def test_the_flags_are_named_where_others_would_get_lost(monkeypatch, unknown, flag):
    monkeypatch.setattr(command, "no_display", lambda: "")
    setattr(unknown, flag, "lenet")
    with pytest.raises(StudioError, match="give --input-size, --mean and --std"):
        command.named_or_unknown(unknown, CPU)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--weights", "x.pt"], "--weights needs --network"),
        (["--rest", "0"], "--rest needs --network"),
        (["frame.png", "--network", "lenet"], "frame.png contains the name of its network"),
        (["--network", "nothing"], "There is no network 'nothing'"),
        (["--network", "lenet", "--weights", "none.pt"], "There is no file none.pt"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(capsys, words, sentence):
    assert main(["studio", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_errors_of_a_request_are_studio_errors(tmp_path):
    with pytest.raises(StudioError, match="There is no file"):
        NetworkRequest("lenet", tmp_path / "none.safetensors").open()
