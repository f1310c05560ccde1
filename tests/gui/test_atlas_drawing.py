"""Drawing a whole layer in the background: asked, refused, told, stopped; never left alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QLabel

from gui.windows import CPU, click, lenet, until
from ldam_studio.atlas import command
from ldam_studio.cli import build_parser
from ldam_studio.commands.shared.flags import _pixels_of
from ldam_studio.commands.shared.sheets import fitted_settings
from ldam_studio.engine.suiting import suited_to
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import neurons_in, small
from ldam_studio.gui.atlas import process
from ldam_studio.gui.atlas.drawing import AtlasDrawing
from ldam_studio.gui.atlas.wanted import WantedLayer
from ldam_studio.networks.discriminators import open_discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.provenance import Provenance, WeightsFile
from ldam_studio.sampler.settings import Settings

LISTENS = """
import sys
print('{"doing":"drawing neurons","done":3,"total":10}', flush=True)
sys.stdin.read()
sys.exit(130)
"""
DRAWS = """
print('{"doing":"drawing neurons","done":10,"total":10}')
print('{"drawn": 10, "failed": []}')
"""
FAILS = """
import sys
print("ldam-studio: The folder x has another atlas.", file=sys.stderr)
sys.exit(2)
"""


def wanted(layer: str, settings: Settings, **other) -> WantedLayer:
    given = {
        "network": lenet(), "layer": layer, "settings": settings, "device": CPU,
        "discriminator": open_discriminator(), "chains": 2, "steps": 20, "seed": 5,
        "display": "image", "workers": 1, "folder": Path("folder of mine"),
    }  # fmt: skip
    return WantedLayer(**given | other)


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        ("conv2", {"temperature": 0.02, "l2": 0.1, "smoothness": 0.01, "jitter": 2}),
        ("conv1", {"clamp": True, "views_of": "field", "burn_in": "auto"}),
        ("fc3", {"discriminator_weight": 0.5, "clamp": True, "step_size": 0.3, "thin": 3}),
    ],
)
def test_the_command_draws_with_the_settings_of_the_session(layer, values):
    settings = Settings.of(**values)
    flags = wanted(layer, settings).flags()
    args = build_parser().parse_args(["atlas", *flags])
    neurons = neurons_in(lenet(), layer)
    assert fitted_settings(args, lenet(), neurons) == small(lenet(), neurons, settings)
    assert (args.chains, args.steps, args.seed, args.workers) == (2, 20, 5, 1)
    assert args.out == Path("folder of mine").absolute()
    assert args.weights_sha256 == lenet().provenance.sha256


def test_what_suits_a_layer_is_left_to_the_command():
    settings = Settings.of(jitter=2, smoothness=0.01)
    neurons = neurons_in(lenet(), "conv2")
    suited = settings.with_values(suited_to(lenet(), neurons, settings))
    assert suited.views_of == "field"
    named = {flag.partition("=")[0] for flag in wanted("conv2", suited).flags()}
    assert "--views-of" not in named
    assert "--resolution" not in named


def of_weights(**given) -> Network:
    made = Network("lenet", lenet().module, lenet().pixels, lenet().labels)
    made.provenance = Provenance(**{"sha256": "0" * 64} | given)
    return made


def test_what_no_other_process_can_draw_is_refused():
    settings = Settings()
    mean = of_weights(mean_of=(WeightsFile(Path("a.pt"), "0" * 64),))
    with pytest.raises(StudioError, match="The weights of lenet are in no file"):
        wanted("conv1", settings, network=mean).flags()
    with pytest.raises(StudioError, match="The weights of lenet are in no file"):
        wanted("conv1", settings, network=of_weights(untrained=True)).flags()
    memory = of_weights()
    memory.name = "memory:Net"
    with pytest.raises(StudioError, match="lies in the memory of a Python program"):
        wanted("conv1", settings, network=memory).flags()
    differs = Settings.of(temperature=(0.1, 0.2))
    with pytest.raises(StudioError, match="Temperature differs from chain to chain"):
        wanted("conv1", differs).flags()
    other = replace(open_discriminator(), sha256="0" * 64)
    judged = Settings.of(discriminator_weight=(0.5, 0.5))
    with pytest.raises(StudioError, match="has a discriminator of its own"):
        wanted("fc3", judged, discriminator=other).flags()


def test_how_the_network_was_opened_is_repeated(tmp_path):
    weights = tmp_path / "wéights.pt"
    network = of_weights(
        weights=weights, weights_key="ema", partial=True, given_pixels=lenet().pixels
    )
    args = build_parser().parse_args(["atlas", *command.network_flags(network)])
    assert (args.weights.file, args.weights.key, args.partial) == (weights, "ema", True)
    assert _pixels_of(args) == lenet().pixels
    drawn = build_parser().parse_args(["atlas", *command.network_flags(of_weights(random_seed=4))])
    assert drawn.weights.seed == 4


@pytest.fixture
def drawing(studio, qtbot, tmp_path, monkeypatch):
    """Give what begins to draw with a Python program in place of the command."""

    def begin(code: str) -> AtlasDrawing:
        monkeypatch.setattr(process, "program", lambda: [sys.executable, "-c", code])
        studio.actions_by_name["draw_layer"].trigger()
        feature = studio.feature(AtlasDrawing)
        assert feature.dialog.title.text() == "lenet, fc3: 10 neurons"
        feature.dialog.folder.setText(str(tmp_path / "atlas"))
        feature.dialog.draw.click()
        until(qtbot, lambda: feature.process is not None)
        assert not feature.dialog.isVisible()
        return feature

    return begin


def said(studio, words: str) -> bool:
    return any(words in text for text in studio.banner.texts())


def test_drawing_says_how_far_it_is_and_stops(studio, qtbot, drawing):
    feature = drawing(LISTENS)
    until(qtbot, lambda: feature.light.words.text().startswith("Atlas of fc3: 3 of 10"))
    assert feature.light.isVisible()
    feature.look()
    assert said(studio, "no neuron is drawn yet")
    studio.actions_by_name["draw_layer"].trigger()
    assert said(studio, "Atlas of fc3 is being drawn")
    click(studio.banner, "Stop Drawing")
    until(qtbot, lambda: feature.process is None)
    assert said(studio, "was stopped; what is drawn is in")
    assert not feature.light.isVisible()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (DRAWS, "Atlas of fc3 is drawn; the atlas is in"),
        (FAILS, "The folder x has another atlas."),
        ("import sys; sys.exit(7)", "The process that draws the atlas ended with code 7"),
    ],
)
def test_the_end_of_drawing_is_a_sentence(studio, qtbot, drawing, code, words):
    feature = drawing(code)
    until(qtbot, lambda: feature.process is None)
    assert said(studio, words)


def test_a_process_that_is_killed_is_a_sentence(studio, qtbot, drawing):
    feature = drawing(LISTENS)
    until(qtbot, lambda: feature._last is not None)
    feature.process._process.kill()  # as Windows and others do it
    until(qtbot, lambda: feature.process is None)
    assert said(studio, "The process that draws the atlas was killed")


def test_closing_the_studio_asks_once_and_ends_the_process(studio, qtbot, drawing):
    feature = drawing(LISTENS)
    until(qtbot, lambda: feature._last is not None)
    running = feature.process
    studio.close()
    assert studio.isVisible() and not running.is_over
    assert said(studio, "Atlas of fc3 is being drawn; closing the studio stops that.")
    click(studio.banner, "Close the Studio")
    until(qtbot, lambda: not studio.isVisible())
    until(qtbot, lambda: running.pid == 0)


def test_once_the_layer_is_drawn_closing_asks_nothing(studio, qtbot, drawing):
    feature = drawing(LISTENS)
    studio.close()
    feature.stop()
    until(qtbot, lambda: feature.process is None)
    assert not said(studio, "closing the studio stops")
    studio.close()
    until(qtbot, lambda: not studio.isVisible())


def test_a_signal_that_ends_the_program_is_not_asked_back(studio, qtbot, drawing):
    feature = drawing(LISTENS)
    running = feature.process
    studio.closing.at_once()
    until(qtbot, lambda: not studio.isVisible())
    until(qtbot, lambda: running.pid == 0)


def test_it_is_said_how_long_the_start_takes(drawing):
    feature = drawing("import sys; sys.stdin.read()")
    feature.studio.places.root.resize(1200, 800)

    def seconds(words: str) -> int:
        before, _, time = feature.light.words.text().removesuffix(" s").rpartition(" ")
        assert before == words
        return int(time)

    assert seconds("Atlas of fc3: starting,") < 75
    feature._since -= 75
    feature._clock.timeout.emit()
    assert seconds("Atlas of fc3: starting,") >= 75
    feature._tell(command.Progress("starting 2 processes", 0, 0))
    assert seconds("Atlas of fc3: starting 2 processes,") >= 75
    feature._tell(command.Progress("drawing neurons", 0, 10))
    assert seconds("Atlas of fc3: 0 of 10 ") >= 75
    feature._tell(command.Progress("waiting for a worker", 0, 10))  # for how long is not known
    assert feature.light.words.text() == "Atlas of fc3: waiting for a worker"
    feature.stop()
    feature._tell(command.Progress("drawing neurons", 1, 10))  # said before it heard of that
    assert feature.light.words.text() == "Atlas of fc3: stopping …"


def test_without_dask_one_sentence_says_what_is_missing(studio, qtbot, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda *_args: None)
    studio.actions_by_name["draw_layer"].trigger()
    assert said(studio, "pip install 'ldam-studio[atlas]'")
    assert studio.feature(AtlasDrawing).dialog is None


def test_a_folder_is_needed(studio, qtbot):
    studio.actions_by_name["draw_layer"].trigger()
    dialog = studio.feature(AtlasDrawing).dialog
    assert any("are those of this session" in each.text() for each in dialog.findChildren(QLabel))
    dialog.folder.setText(" ")
    dialog.draw.click()
    assert dialog.note.text() == "Choose a folder for the atlas."
    assert studio.feature(AtlasDrawing).process is None
