"""A file that names a library's network does not make anything be downloaded unasked."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QPushButton

from gui.windows import small_opening, until
from ldam_studio.errors import StudioError
from ldam_studio.gui.opening import download_first
from ldam_studio.networks.sources import families
from ldam_studio.networks.sources.download import cached
from ldam_studio.networks.sources.family import Published, Source

PUBLISHED = Published("https://nowhere.invalid/tiny-12345678.pth", "tiny-12345678.pth")


@pytest.fixture
def picture(monkeypatch):
    """Give the opening of a picture whose network's weights are not here."""
    monkeypatch.setattr(download_first, "list_models", lambda: ())
    monkeypatch.setattr(download_first, "to_download", lambda _name: PUBLISHED)
    return replace(small_opening("fc2:0-1"), title="Theirs", published=("torchvision:tiny",))


def buttons(window):
    found = window.banner.findChildren(QPushButton)
    return {button.text(): button for button in found if button.isVisible()}


def layer(window):
    model = window.model
    return model.outline.lane.neurons[0].layer if model.is_open else None


def test_it_is_asked_first_and_what_runs_goes_on(studio, qtbot, picture, monkeypatch):
    fetched, had = [], threading.Event()

    def fetch(url, on_bytes, file):
        fetched.append((url, file))
        assert on_bytes(500_000, 2_000_000)
        assert had.wait(60)

    monkeypatch.setattr(download_first, "fetch", fetch)
    step = studio.last_frame.step
    studio.open(picture)
    until(qtbot, lambda: "Download and open" in buttons(studio))
    assert "Theirs was made with tiny, whose published weights" in studio.banner.texts()[-1]
    until(qtbot, lambda: studio.last_frame.step > step)
    assert not fetched and layer(studio) == "fc3"
    buttons(studio)["Download and open"].click()
    until(qtbot, lambda: "0.5 of 2.0 MB" in studio.banner.texts()[-1])
    assert layer(studio) == "fc3"
    had.set()
    until(qtbot, lambda: layer(studio) == "fc2")
    assert fetched == [(PUBLISHED.url, PUBLISHED.file)]


def test_of_two_networks_side_by_side_each_is_asked_for(studio, qtbot, picture, monkeypatch):
    monkeypatch.setattr(download_first, "fetch", lambda _url, _on_bytes, file: None)
    studio.open(replace(picture, published=("torchvision:tiny", "torchvision:large")))
    for name in ("tiny", "large"):
        until(qtbot, lambda name=name: f"made with {name}," in " ".join(studio.banner.texts()))
        assert layer(studio) == "fc3"
        buttons(studio)["Download and open"].click()
    until(qtbot, lambda: layer(studio) == "fc2")


def test_a_download_can_be_stopped(studio, qtbot, picture, monkeypatch):
    told, stopped = threading.Event(), threading.Event()

    def fetch(_url, on_bytes, file):
        while on_bytes(1, 2):
            told.wait(0.01)
        stopped.set()
        raise StudioError("The download was stopped; nothing was kept.")

    monkeypatch.setattr(download_first, "fetch", fetch)
    studio.open(picture)
    until(qtbot, lambda: "Download and open" in buttons(studio))
    buttons(studio)["Download and open"].click()
    until(qtbot, lambda: "Stop" in buttons(studio))
    buttons(studio)["Stop"].click()
    until(qtbot, stopped.is_set)
    assert layer(studio) == "fc3" and not buttons(studio)


def test_without_a_connection_it_is_one_sentence(studio, qtbot, picture, monkeypatch):
    def fetch(_url, _on_bytes, file):
        raise StudioError(f"{file} cannot be downloaded; give a weights file.")

    monkeypatch.setattr(download_first, "fetch", fetch)
    studio.open(picture)
    until(qtbot, lambda: "Download and open" in buttons(studio))
    buttons(studio)["Download and open"].click()
    until(qtbot, lambda: any("cannot be downloaded" in text for text in studio.banner.texts()))
    assert layer(studio) == "fc3"


def test_what_is_here_is_opened_at_once_and_another_session_ends_the_question(
    studio, qtbot, picture, monkeypatch
):
    studio.open(picture)
    until(qtbot, lambda: "Download and open" in buttons(studio))
    studio.open(small_opening("fc1:0"))
    until(qtbot, lambda: layer(studio) == "fc1")
    assert not buttons(studio)
    monkeypatch.setattr(download_first, "to_download", lambda _name: None)
    studio.open(picture)
    until(qtbot, lambda: layer(studio) == "fc2")


def test_what_would_be_downloaded_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    source = Source(lambda _classes: None, published=PUBLISHED)
    monkeypatch.setattr(families, "find_source", lambda _name: source)
    assert families.to_download("torchvision:tiny") == PUBLISHED
    path = cached(PUBLISHED.url, file=PUBLISHED.file)
    path.parent.mkdir()
    path.touch()
    assert families.to_download("torchvision:tiny") is None
    assert families.to_download("lenet") is None and families.to_download("mine.py:model") is None
