"""Opening a network in the dialog: what is asked for, what is understood, what goes wrong."""

from __future__ import annotations

import threading

import pytest
import torch
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from safetensors.torch import save_file
from torch import nn

from gui.windows import until
from ldam_studio.errors import StudioError
from ldam_studio.gui.network_dialog import source as network_source
from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.network_dialog.input_form import OWN
from ldam_studio.gui.network_dialog.source import BUILT_IN, CODE, LIBRARY
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.networks import network
from ldam_studio.networks.models import lenet
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources import opening
from ldam_studio.networks.sources.built_in import MNIST_PIXELS
from ldam_studio.networks.sources.family import Published, Source
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.networks.weights.fingerprint import fingerprint

SMALL = PixelSpec(3, 16, 16, (0.5,) * 3, (0.25,) * 3, rest=0.5)
FACTORIES = """
import sys
from torch import nn

SIZE = 3

def plain():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))

def with_pixels():
    module = plain()
    module.pixels = dict(channels=3, height=16, width=16, mean=[0.5] * 3, std=[0.25] * 3, rest=0.5)
    return module

class _Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), nn.Linear(784, 5)

    def forward(self, x):
        h = self.body(x)
        return h * 2, self.head(h)

def pair():
    return _Pair()

def raising():
    raise ValueError("no luck")

def leaving():
    sys.exit(3)

def number():
    return 3

def _helper():
    pass

def asking(size, *, more):
    return plain()
"""
MODELS = ("resnet18", "resnet50", "squeezenet1_0", "squeezenet1_1", "vgg16")


def small():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    )


@pytest.fixture(autouse=True)
def _no_torchvision(monkeypatch):
    """Stand in for torchvision, which takes seconds to import, and for its list."""
    monkeypatch.setattr(network_source, "_listed", ())
    monkeypatch.setattr(network_source, "list_models", lambda: MODELS)
    monkeypatch.setattr("ldam_studio.gui.network_dialog.dialog.list_models", lambda: MODELS)
    published = Published("https://nowhere/small.pth", "small.pth")
    source = Source(lambda classes: small(), SMALL, tuple("abcde"), 5, published)
    real = opening.find_source
    monkeypatch.setattr(
        opening,
        "find_source",
        lambda name: source if name.startswith("torchvision:") else real(name),
    )


@pytest.fixture
def factories(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FACTORIES)
    return path


@pytest.fixture
def make(qtbot):
    made = []

    def build(request=None, **given):
        dialog = NetworkDialog(request, **given)
        made.append(dialog)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    yield build
    for dialog in made:
        dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


@pytest.fixture
def load(qtbot):
    def go(dialog):
        dialog.load_button.click()
        until(qtbot, lambda: not dialog.is_loading)
        return dialog.card

    return go


def code(make, factories, function, pixels=SMALL):
    dialog = make(NetworkRequest(f"{factories}:{function}", pixels=pixels))
    dialog.source.code.agreed.setChecked(True)
    return dialog


# What is asked for


def test_torchvisions_models_are_listed_and_searched(make, qtbot):
    dialog = make()
    library = dialog.source.library
    assert not dialog.load_button.isEnabled()
    until(qtbot, lambda: library.list.count() == len(MODELS))
    QTest.keyClicks(library.search, "squeeze")
    shown = [library.list.item(i).text() for i in range(5) if not library.list.isRowHidden(i)]
    assert shown == ["squeezenet1_0", "squeezenet1_1"]
    assert dialog.source.name == "torchvision:squeezenet1_0"
    QTest.keyClick(library.search, Qt.Key.Key_Down)
    assert dialog.source.name == "torchvision:squeezenet1_1"
    assert dialog.load_button.isEnabled()
    QTest.keyClicks(library.search, "zz")

    def finds_nothing():
        said = library.state.isVisible() and "no classification model" in library.state.text()
        return said and dialog.source.name == "" and not dialog.load_button.isEnabled()

    assert finds_nothing()
    # Nothing that is hidden can be chosen, whatever is pressed.
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Return):
        QTest.keyClick(library.search, key)
        assert finds_nothing()
    library.list.setFocus()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_V):
        QTest.keyClick(library.list, key)
        assert finds_nothing()
    assert library.search.text() == "squeezezzv"
    library.search.clear()
    QTest.keyClick(library.list, Qt.Key.Key_V)
    assert dialog.source.name == "torchvision:vgg16" and dialog.load_button.isEnabled()


def test_timms_models_are_in_the_same_list_and_need_no_consent(make, qtbot, monkeypatch):
    names = (*MODELS, "timm:resnet18.a1_in1k", "timm:vit_tiny_patch16_224.augreg_in21k")
    monkeypatch.setattr(network_source, "list_models", lambda: names)
    dialog = make()
    library = dialog.source.library
    until(qtbot, lambda: library.list.count() == len(names))
    QTest.keyClicks(library.search, "timm vit")
    assert dialog.source.name == "timm:vit_tiny_patch16_224.augreg_in21k"
    assert dialog.load_button.isEnabled()
    again = make(NetworkRequest("timm:resnet18.a1_in1k"))
    assert again.source.kind == LIBRARY
    until(qtbot, lambda: again.source.library.list.currentItem() is not None)
    assert again.source.name == "timm:resnet18.a1_in1k"
    assert again.source.ready


def test_a_model_is_opened_with_the_keyboard_alone(make, qtbot, monkeypatch, tmp_path):
    path = tmp_path / "small.safetensors"
    save_file(small().state_dict(), path)
    monkeypatch.setattr(opening, "fetch", lambda url, on_bytes, file: path)
    dialog = make()
    until(qtbot, lambda: dialog.source.library.list.count() == len(MODELS))
    QTest.keyClicks(dialog.focusWidget(), "vgg")
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    until(qtbot, lambda: dialog.network is not None)
    assert dialog.network.name == "torchvision:vgg16"
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    assert dialog.result() == NetworkDialog.DialogCode.Accepted


def test_torchvision_that_does_not_import_is_one_sentence(make, qtbot, monkeypatch):
    def broken():
        raise StudioError(
            "torchvision cannot be imported; install the version for your version of torch."
        )

    monkeypatch.setattr(network_source, "list_models", broken)
    library = make().source.library
    until(qtbot, lambda: "cannot be imported" in library.state.text())


def test_code_is_run_only_where_that_was_agreed_to(make, factories):
    dialog = make(NetworkRequest(f"{factories}:with_pixels"))
    page = dialog.source.code
    assert dialog.source.kind == CODE
    assert not dialog.load_button.isEnabled()
    dialog.load()
    assert not dialog.is_loading
    page.agreed.setChecked(True)
    assert dialog.load_button.isEnabled()
    # Another function of a file is run by the same import; what the file became is other code.
    page.function.setCurrentText("plain")
    assert page.agreed.isChecked() and dialog.load_button.isEnabled()
    factories.write_text(FACTORIES + "SIZE = 4\n")
    page.function.setCurrentText("pair")
    assert not page.agreed.isChecked()
    page.agreed.setChecked(True)
    page.file.setText(str(factories) + "x")
    assert not page.agreed.isChecked()


def test_a_files_functions_are_offered_without_running_it(make, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FACTORIES + "\nraise SystemExit\n")
    dialog = make()
    dialog.source.choose(CODE)
    dialog.source.code.file.setText(str(path))
    combo = dialog.source.code.function
    offered = [combo.itemText(i) for i in range(combo.count())]
    assert offered == ["plain", "with_pixels", "pair", "number", "raising", "leaving", "asking"]
    dialog.source.code.file.setText(str(tmp_path / "none.py"))
    assert combo.count() == 0


def test_the_input_is_asked_for_only_where_the_source_does_not_tell(make, load, factories):
    dialog = code(make, factories, "plain", pixels=None)
    assert not dialog.input.extent.isVisible()
    card = load(dialog)
    assert "does not say what images" in card.sentence
    assert not dialog.open_button.isEnabled()
    # Nothing is assumed: with no answer it does not load.
    assert not dialog.input.is_chosen
    assert "Choose what images" in load(dialog).sentence
    dialog.input.preset.setCurrentText("Pixels from -1 to 1")
    assert dialog.input.extent.isVisible()
    assert "The size is" in load(dialog).sentence
    QTest.keyClicks(dialog.input.extent, "3x16x16")
    assert dialog.input.preset.currentText() == OWN
    load(dialog)
    assert dialog.network.pixels == PixelSpec(3, 16, 16, (0.5,) * 3, (0.5,) * 3, rest=0.5)
    # What the network is fed is the same; what was said is kept as it was said.
    assert dialog.network.provenance.given_pixels.from_0_to_1() == dialog.network.pixels
    assert dialog.network.provenance.given_pixels.bounds == (-1, 1)


def test_another_source_that_tells_its_input_is_not_asked_about(make, load, factories):
    dialog = code(make, factories, "plain", pixels=None)
    load(dialog)
    assert not dialog.input.is_chosen
    # Agreeing anew is no other source.
    dialog.source.code.agreed.setChecked(False)
    dialog.source.code.agreed.setChecked(True)
    assert not dialog.input.is_chosen
    dialog.source.code.function.setCurrentText("with_pixels")
    dialog.source.code.agreed.setChecked(True)
    assert load(dialog).sentence == ""
    assert dialog.network.pixels.shape == (3, 16, 16)


def test_what_a_person_chose_stays_with_another_source(make, load, factories):
    dialog = code(make, factories, "plain", pixels=None)
    load(dialog)
    dialog.input.preset.setCurrentText("ImageNet")
    dialog.source.code.function.setCurrentText("with_pixels")
    assert dialog.input.preset.currentText() == "ImageNet"


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("extent", "3 x 16", "The size is"),
        ("extent", "0 x 16 x 16", "makes no sense"),
        ("mean", "0.1, 0.2", "Mean needs one number, or 3"),
        ("std", "a", "Standard deviation needs"),
        ("std", "0", "Every std must be above 0"),
        ("rest", "", "Rest colour needs one number."),
        ("rest", "7", "lies outside the range"),
        ("range", "", "The range is two numbers"),
        ("range", "1 to 0", "minimum must be below its maximum"),
    ],
)
def test_an_input_that_makes_no_sense_is_one_sentence(make, factories, field, text, sentence):
    dialog = code(make, factories, "plain")
    getattr(dialog.input, field).clear()
    QTest.keyClicks(getattr(dialog.input, field), text)
    dialog.load_button.click()
    assert not dialog.is_loading
    assert sentence in dialog.card.sentence


def test_presets_fill_in_their_numbers(make):
    form = make().input
    form.preset.setCurrentText("ImageNet")
    assert form.pixels().mean == (0.485, 0.456, 0.406)
    form.preset.setCurrentText("Pixels from 0 to 1")
    assert form.pixels() == PixelSpec(3, 224, 224, (0.0,) * 3, (1.0,) * 3, rest=0.5)
    form.preset.setCurrentText("MNIST")
    assert form.pixels() == MNIST_PIXELS
    form.from_source()
    assert form.pixels() is None


def test_of_many_channels_those_to_be_shown_are_asked_for(make, qtbot):
    form = make().input
    form.show()
    form.preset.setCurrentText("Pixels from 0 to 255")
    form.extent.setText("3 x 20 x 30")
    assert not form._form.isRowVisible(form.shown)
    assert form.pixels().bounds == (0, 255)
    form.extent.setText("13 x 20 x 30")
    assert form._form.isRowVisible(form.shown)
    assert form.pixels().picture == (0, 1, 2)
    form.shown.setText("12, 3 1")
    assert form.pixels().shown == (12, 3, 1)
    form.fill(form.pixels())
    assert form.pixels().shown == (12, 3, 1)
    for text, sentence in (("1, 13", "channels 0 to 12"), ("a", "whole"), ("1 2 3 4", "one to")):
        form.shown.setText(text)
        with pytest.raises(StudioError, match=sentence):
            form.pixels()


def test_built_in_networks_need_nothing_but_perhaps_weights(make, load):
    dialog = make(NetworkRequest("lenet"))
    assert dialog.source.kind == BUILT_IN
    assert dialog.choice.file.isVisible()
    assert not dialog.input.isVisible()
    card = load(dialog)
    assert card.sentence == ""
    assert dialog.network.name == "lenet"
    assert not card.facts["Notes"].isVisible()


def test_a_built_in_network_is_opened_with_one_click(make, qtbot):
    dialog = make()
    assert not dialog.open_button.isEnabled()  # what a published model is has to be looked at first
    dialog.source.choose(BUILT_IN)
    dialog.open_button.click()
    until(qtbot, lambda: dialog.result() == NetworkDialog.DialogCode.Accepted)
    assert dialog.network.name == "lenet"
    assert dialog.draft is not None  # this was filled in by hand


@pytest.mark.parametrize("by", ["double click", "Enter"])
def test_a_built_in_network_is_opened_from_the_list(by, make, qtbot):
    dialog = make()
    dialog.source.choose(BUILT_IN)
    listed = dialog.source.built_in.list
    listed.setCurrentRow(1)
    if by == "Enter":
        listed.setFocus()
        QTest.keyClick(listed, Qt.Key.Key_Return)
    else:
        at = listed.visualItemRect(listed.item(1)).center()
        QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseDClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=at)
    until(qtbot, lambda: dialog.result() == NetworkDialog.DialogCode.Accepted)
    assert dialog.network.name == "lenet-averaged"


def test_built_in_networks_take_labels_and_a_part_of_the_weights(make, load, tmp_path):
    state = lenet.LeNet5(classes=3).state_dict()
    del state["conv1.bias"]
    save_file(state, tmp_path / "three.safetensors")
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\n")
    dialog = make(NetworkRequest("lenet"))
    dialog.choice.file.setText(str(tmp_path / "three.safetensors"))
    dialog.form.labels.setText(str(tmp_path / "names.txt"))
    said = load(dialog).sentence
    assert f"“{dialog.choice.partial.text()}”" in said and "--" not in said
    dialog.choice.partial.setChecked(True)
    card = load(dialog)
    assert card.sentence == ""
    assert dialog.network.labels == ("ant", "bee", "cat")
    assert card.facts["Notes"].isVisible()
    assert "1 weight is not in three.safetensors" in card.facts["Notes"].text()
    assert card.facts["Notes"].text().endswith("keeps its initial value: conv1.bias.")


# What is understood


def test_what_was_understood_is_shown_before_it_can_be_opened(make, load, factories, tmp_path):
    path = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))
    save_file(module.state_dict(), path)
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\ndog\neel\n")
    dialog = code(make, factories, "with_pixels", pixels=None)
    dialog.choice.file.setText(str(path))
    dialog.form.labels.setText(str(tmp_path / "names.txt"))
    assert not dialog.open_button.isEnabled()
    facts = {name: label.text() for name, label in load(dialog).facts.items()}
    assert facts["Architecture"] == "Sequential, 4,037 parameters"
    assert facts["Input"] == "3 × 16 × 16; mean 0.5; std 0.25; rest 0.5"
    assert facts["Outputs"] == "5 classes: ant, bee, cat, …"
    assert facts["Layers"] == "4 with 797 neurons; the last is 3"
    assert facts["Weights"].startswith("weights.safetensors, SHA-256 ")
    assert dialog.open_button.isEnabled()
    assert dialog.open_button.isDefault()
    # What is changed afterwards has to be loaded again.
    dialog.form.labels.clear()
    assert dialog.network is None
    assert not dialog.open_button.isEnabled()
    assert load(dialog).facts["Outputs"].text() == "5 without names"
    dialog.open_button.click()
    assert dialog.result() == NetworkDialog.DialogCode.Accepted
    assert dialog.request == NetworkRequest(f"{factories}:with_pixels", path)


def test_what_was_understood_can_be_corrected(make, load, factories):
    dialog = code(make, factories, "with_pixels", pixels=None)
    load(dialog)
    dialog.input.preset.setCurrentText(OWN)
    assert dialog.network is None
    assert dialog.input.std.text() == "0.25"
    QTest.keyClicks(dialog.input.std, "5")
    load(dialog)
    assert dialog.network.pixels.std == (0.255,) * 3


def test_one_of_several_sets_of_weights_is_chosen(make, load, factories, tmp_path, monkeypatch):
    hashed_on = set()

    def hashed(module):
        hashed_on.add(threading.current_thread())
        return fingerprint(module)

    monkeypatch.setattr(network, "fingerprint", hashed)
    one = NetworkRequest(f"{factories}:with_pixels").open().module.state_dict()
    two = {name: value + 1 for name, value in one.items()}
    torch.save({"model": one, "model_ema": two}, tmp_path / "both.pt")
    dialog = code(make, factories, "with_pixels")
    assert not dialog.choice.sets.isVisible()
    dialog.choice.file.setText(str(tmp_path / "both.pt"))
    facts = load(dialog).facts
    assert "also has weights in model_ema, which Set chooses." in facts["Notes"].text()
    assert dialog.choice.sets.isVisible() and dialog.choice.sets.currentData() == "model"
    # Choosing the other one loads it.
    dialog.choice.sets.setCurrentIndex(1)
    dialog.choice.sets.activated.emit(1)
    load(dialog)
    assert torch.equal(dialog.network.module[0].bias, two["0.bias"])
    assert facts["Weights"].text().startswith("both.pt::model_ema, SHA-256")
    # Hashing large weights would freeze the window.
    assert hashed_on and threading.main_thread() not in hashed_on
    assert dialog.request.weights_key == "model_ema"
    again = make(dialog.request)
    assert again.wish().absolute() == dialog.request
    # Another file has sets of its own.
    dialog.choice.file.setText(str(tmp_path / "other.pt"))
    assert not dialog.choice.sets.isVisible() and dialog.wish().weights_key is None


def test_random_weights_are_chosen_in_place_of_a_file(make, load, factories):
    dialog = code(make, factories, "with_pixels")
    dialog.choice.file.setText("none.pt")
    dialog.choice.random.setChecked(True)
    assert not dialog.choice.file.isEnabled()
    assert load(dialog).facts["Weights"].text().startswith("random, SHA-256")
    first = dialog.network.sha256
    dialog.choice.seed.setValue(7)
    assert load(dialog).facts["Weights"].text().startswith("random:7, SHA-256")
    assert dialog.network.sha256 != first
    assert dialog.request.random_seed == 7 and dialog.request.weights is None
    assert make(dialog.request).wish().absolute() == dialog.request


# What goes wrong


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("raising", "failed (ValueError: no luck)"),
        ("leaving", "SystemExit"),
        ("number", "returned int, not a torch.nn.Module"),
        ("asking", "needs the arguments size and more, but is called without"),
        ("absent", "has no function 'absent'"),
    ],
)
def test_a_function_that_does_not_do_is_one_sentence(make, load, factories, function, sentence):
    dialog = code(make, factories, function)
    assert sentence in load(dialog).sentence
    assert not dialog.open_button.isEnabled()
    # and can be mended at once
    assert dialog.load_button.isEnabled()


def test_of_several_outputs_that_of_the_classes_can_be_chosen(make, load, factories, tmp_path):
    dialog = code(make, factories, "pair")
    assert load(dialog).sentence == ""
    assert (
        dialog.card.facts["Outputs"].text()
        == "784 without names in output; it also returns output[1] (head)"
    )
    offered = [dialog.form.classes.itemText(i) for i in range(dialog.form.classes.count())]
    assert offered == ["output", "head"]
    dialog.form.classes.setCurrentText("head")
    dialog.form.classes.activated.emit(1)
    said = dialog.card.facts["Outputs"].text()
    assert said == "5 without names in output[1] (head); it also returns output"
    dialog.open_button.click()
    assert dialog.network.class_layer.name == "head"
    assert dialog.network.reference["class_layer"] == "head"
    assert dialog.request.class_layer == "head"


def test_labels_find_the_output_that_they_belong_to(make, load, factories, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("ant\nbee\ncat\ndog\nelk\n")
    dialog = code(make, factories, "pair")
    dialog.form.labels.setText(str(names))
    assert load(dialog).sentence == ""
    said = dialog.card.facts["Outputs"].text()
    assert said == "5 classes in output[1] (head): ant, bee, cat, …; it also returns output"
    assert dialog.request.class_layer is None
    dialog.form.classes.setCurrentText("body.1")
    dialog.form.classes.activated.emit(0)
    assert "has 5 labels, but the network has 784 outputs" in dialog.card.sentence
    assert not dialog.open_button.isEnabled()
    dialog.form.classes.setCurrentText("")
    assert load(dialog).sentence == ""
    assert dialog.network.labels[4] == "elk"


def test_files_that_are_missing_or_wrong_are_one_sentence(make, load, factories, tmp_path):
    dialog = make(NetworkRequest(f"{tmp_path}/none.py:f"))
    dialog.source.code.agreed.setChecked(True)
    assert "There is no file" in load(dialog).sentence
    dialog = code(make, factories, "plain")
    dialog.choice.file.setText(str(tmp_path / "none.pt"))
    assert "There is no file" in load(dialog).sentence
    other = tmp_path / "other.safetensors"
    save_file({"0.weight": torch.zeros(4, 3, 3, 3), "9.bias": torch.zeros(2)}, other)
    dialog.choice.file.setText(str(other))
    assert "is for another architecture: 3 weights are missing" in load(dialog).sentence
    dialog.choice.partial.setChecked(True)
    assert load(dialog).sentence == ""
    (tmp_path / "names.txt").write_text("ant\nbee\n")
    dialog.form.labels.setText(str(tmp_path / "names.txt"))
    assert "has 2 labels, but the network has 5 outputs" in load(dialog).sentence


def test_an_input_that_the_network_does_not_take_names_the_layer(make, load, factories):
    wrong = PixelSpec(3, 20, 20, (0.5,) * 3, (0.25,) * 3)
    sentence = load(code(make, factories, "plain", wrong)).sentence
    assert "fails on an image of 3 x 20 x 20 in its layer 3" in sentence


# On the side


@pytest.fixture
def download(monkeypatch, tmp_path):
    """Stand in for a download that goes on until it is told to stop or to end."""

    class Download:
        begun, ended, may_end = (threading.Event() for _ in range(3))

        def fetch(self, url, on_bytes, file):
            had = 0
            while not self.may_end.is_set():
                had = min(had + 100_000, 900_000)
                if on_bytes(had, 1_000_000) is False:
                    self.ended.set()
                    raise StudioError("The download was stopped; nothing was kept.")
                self.begun.set()
                self.may_end.wait(0.01)
            path = tmp_path / "small.safetensors"
            save_file(small().state_dict(), path)
            return path

    made = Download()
    monkeypatch.setattr(opening, "fetch", made.fetch)
    yield made
    made.may_end.set()


def test_a_download_shows_its_progress_and_can_be_stopped(make, qtbot, download):
    dialog = make(NetworkRequest("torchvision:squeezenet1_0"))
    dialog.load_button.click()
    until(qtbot, lambda: "of 1.0 MB" in dialog.card.doing.text())
    assert not dialog.open_button.isEnabled()
    dialog.card.stop.click()
    assert not dialog.is_loading
    until(qtbot, download.ended.is_set)
    assert dialog.card.words.text() == "Loading was stopped."
    # and begun again
    download.may_end.set()
    dialog.load_button.click()
    until(qtbot, lambda: dialog.network is not None)
    assert dialog.card.facts["Outputs"].text() == "5 classes: a, b, c, …"


def test_closing_while_loading_leaves_no_thread(make, qtbot, download):
    dialog = make(NetworkRequest("torchvision:squeezenet1_0"))
    dialog.load_button.click()
    until(qtbot, download.begun.is_set)
    dialog.reject()
    assert not dialog.isVisible()
    until(qtbot, lambda: not STRAGGLERS)
    assert download.ended.is_set()
    assert dialog.network is None


def test_the_list_that_arrives_leaves_what_is_loading_alone(make, qtbot, monkeypatch, download):
    arrive = threading.Event()

    def slow():
        arrive.wait(30)
        return MODELS

    monkeypatch.setattr(network_source, "list_models", slow)
    dialog = make(NetworkRequest("torchvision:vgg16"))
    dialog.load_button.click()
    until(qtbot, download.begun.is_set)
    arrive.set()
    until(qtbot, lambda: dialog.source.library.list.count() == len(MODELS))
    assert dialog.is_loading
    assert dialog.source.library.list.currentItem().text() == "vgg16"


# What is remembered


def test_what_was_filled_in_is_there_again(make, qtbot, factories):
    dialog = make()
    until(qtbot, lambda: dialog.source.library.list.count() == len(MODELS))
    QTest.keyClicks(dialog.source.library.search, "resnet")
    dialog.source.library.set_name("torchvision:resnet50")
    dialog.source.choose(CODE)
    dialog.source.code.file.setText(str(factories))
    dialog.source.code.function.setCurrentText("pair")
    dialog.source.code.agreed.setChecked(True)
    dialog.choice.file.setText("~/no such file.pt")
    dialog.choice.partial.setChecked(True)
    dialog.form.labels.setText("imagenet")
    dialog.form.steady.setChecked(True)
    dialog.form.classes.setCurrentText("head")
    dialog.input.preset.setCurrentText("Pixels from -1 to 1")
    QTest.keyClicks(dialog.input.extent, "3 x half of it")
    again = make(draft=dialog.draft)
    assert again.draft == dialog.draft
    assert again.source.kind == CODE and again.load_button.isEnabled()
    assert again.source.name == f"{factories}:pair"
    assert again.input.preset.currentText() == OWN and again.input.extent.isVisible()
    again.source.choose(LIBRARY)
    library = again.source.library
    until(qtbot, lambda: library.list.count() == len(MODELS))
    assert again.source.name == "torchvision:resnet50"
    assert library.list.item(MODELS.index("vgg16")).isHidden()
    # What the file has become since was not agreed to.
    factories.write_text(FACTORIES + "SIZE = 5\n")
    assert not make(draft=dialog.draft).source.code.agreed.isChecked()
