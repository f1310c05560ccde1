"""The page of an atlas in a real browser, from disk: keys, links, what a screen reader is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import browser
from atlas_folders import picture, png_of, row, write_atlas, write_index, write_neuron
from browser import Browser, Page
from ldam_studio.atlas.page.writing import write_comparison, write_page
from ldam_studio.cli import main
from ldam_studio.networks.neurons import Neuron

HOSTILE = "</script><img src=x onerror=\"document.title='bad'\"><b>'\u202e"
TILES = "[...document.querySelectorAll('.tile')].map(tile => tile.ariaLabel)"
FOCUSED = "document.activeElement.ariaLabel || document.activeElement.id"
COUNT = "document.getElementById('count').textContent"
OPEN = "document.getElementById('closeup').open"
STEADY = "[...document.images].every(image => image.complete)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    if browser.found() is None:
        pytest.skip("no Chromium on this computer")
    running = Browser(tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def atlas(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("an atlas #1 ü")
    write_atlas(folder, {"conv1": 6, "layer3.1.conv2": 400, "fc": 10})
    write_page(folder)
    return folder


@pytest.fixture
def page(chromium) -> Iterator[Page]:
    """A page; at the end it has met no error, and asked for nothing but files."""
    opened = chromium.page()
    yield opened
    assert not opened.events("Runtime.exceptionThrown")
    assert not [e for e in opened.events("Log.entryAdded") if e["entry"]["level"] == "error"]
    asked = [e["request"]["url"] for e in opened.events("Network.requestWillBeSent")]
    assert asked and all(url.startswith(("file:", "about:")) for url in asked)
    opened.close()


def address(folder: Path, neuron: str = "", name: str = "index.html") -> str:
    return (folder / name).as_uri() + (f"#{neuron}" if neuron else "")


def search(page: Page, text: str) -> list[str]:
    """Search as a person does; return what the tiles in view say."""
    page.run("document.getElementById('search').select()")
    page.run("document.getElementById('search').focus()")
    page.type(text)
    page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.run(TILES)


def test_neurons_are_found_by_address_label_and_numbers(page, atlas):
    page.open(address(atlas))
    assert page.run(COUNT) == "416 neurons"
    assert page.run(TILES)[0] == "conv1:0, activation 0.00, converged, 1 mode"
    # Only what is in view exists.
    assert 20 < len(page.run(TILES)) < 120
    assert search(page, "conv2:39")[0].startswith("layer3.1.conv2:39, label 39, activation")
    assert page.run(COUNT) == "11 of 416 neurons"
    assert len(search(page, "fc label")) == 2
    assert "label 4" in page.run(TILES)[0]
    found = search(page, "activation > 9.9 MODES>1")
    assert found and all("2 modes" in each and "activation 9.9" in each for each in found)
    assert search(page, "no such") == []
    assert page.run("document.getElementById('nothing').innerText").startswith("No neuron")
    assert page.run(COUNT) == "0 of 416 neurons"
    page.click("#nothing button")
    assert page.run(COUNT) == "416 neurons"
    page.run("location.hash = 'fc'")
    page.wait(f"{COUNT} === '10 neurons'")
    page.run("(o => { o.value = 'highest'; o.dispatchEvent(new Event('change')) })(order)")
    values = [
        float(t.split("activation ")[1].split(",")[0].replace("−", "-")) for t in page.run(TILES)
    ]
    assert values == sorted(values, reverse=True)


def test_keys_lead_through_everything(page, atlas):
    page.open(address(atlas))
    page.press("/")
    assert page.run(FOCUSED) == "search"
    page.press("/")  # is now typed
    assert page.run("document.getElementById('search').value") == "/"
    search(page, "conv")
    page.press("Enter")
    assert page.run(FOCUSED).startswith("conv1:0,")
    page.press("ArrowRight")
    assert page.run(FOCUSED).startswith("conv1:1,")
    page.press("ArrowDown")
    assert page.run(FOCUSED).startswith("layer3.1.conv2:1,")
    page.press("ArrowUp")
    page.press("End")
    assert page.run(FOCUSED).startswith("layer3.1.conv2:399,")
    assert page.run("document.activeElement.getBoundingClientRect().bottom <= innerHeight")
    page.press("Home")
    page.press("Enter")
    page.wait(OPEN)
    assert page.run("location.hash") == "#conv1:0"
    page.press("ArrowRight")
    assert page.run("location.hash") == "#conv1:1"
    page.press("ArrowLeft")
    page.press("ArrowRight")
    page.press("Escape")
    page.wait(f"!{OPEN} && location.hash === ''")
    assert page.run(FOCUSED).startswith("conv1:1,")


def test_every_control_is_reached_by_tab_and_the_focus_is_seen(page, atlas):
    page.open(address(atlas))
    reached = []
    for _ in range(10):
        page.press("Tab")
        name = page.run("(e => e.id || e.ariaLabel || e.innerText.trim())(document.activeElement)")
        outline = page.run("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", name
        reached.append(name.split("\n")[0].split(",")[0])
    layers = ["All layers", "conv1", "layer3.1.conv2", "fc"]
    head = ["Skip to the neurons", "About", "search", "state", "order"]
    assert reached == [*head, *layers, "conv1:0"]
    # What is said of the atlas closes by Escape, and when it is left.
    about = "document.getElementById('about').open"
    for way in ("Escape", "Tab"):
        page.run("document.querySelector('summary').focus()")
        page.press("Enter")
        page.wait(about)
        page.press(way)
        page.wait(f"!{about}")
    assert page.run(FOCUSED) == "search"
    # The first neuron has none before it.
    page.run("location.hash = 'conv1:0'")
    page.wait(OPEN)
    assert page.run("[...document.querySelectorAll('#closeup button')].map(b => b.disabled)") == [
        True, False, False,
    ]  # fmt: skip


def test_every_neuron_has_a_link_and_the_way_back_works(page, atlas):
    page.open(address(atlas, "layer3.1.conv2:17"))
    page.wait(f"{OPEN} && {STEADY}")
    assert page.run("document.title") == "layer3.1.conv2:17 – lenet"
    assert page.run("document.querySelector('.average').naturalWidth") == 112
    assert page.run("document.querySelectorAll('.samples .picture').length") == 4
    page.press("Escape")
    page.wait(f"!{OPEN}")
    page.run("location.hash = 'conv1'")
    page.wait(f"{COUNT} === '6 neurons'")
    page.click(".tile")
    page.wait(OPEN)
    page.run("history.back()")
    page.wait(f"!{OPEN} && location.hash === '#conv1'")
    page.run("history.back()")
    page.wait(f"{COUNT} === '416 neurons'")
    page.run("location.hash = 'conv1:99'")
    page.wait(f"{COUNT} === 'This atlas has no conv1:99'")


def test_a_screen_reader_is_told_what_there_is(page, atlas):
    page.open(address(atlas))
    told = page.accessible()
    for expected in (
        ("grid", "Neurons"),
        ("gridcell", "conv1:2, activation 9.85, no gradient, the picture is noise, 1 mode"),
        ("gridcell", "conv1:3, activation 8.63, converged, 2 modes"),
        ("navigation", "Layers"),
        ("searchbox", "Search"),
        ("combobox", "Order"),
        ("link", "layer3.1.conv2 400"),
    ):
        assert expected in told, expected
    assert "status" in {role for role, _ in told}
    rows = page.run("document.getElementById('grid').ariaRowCount")
    assert int(rows) > 50
    page.run("location.hash = 'conv1:3'")
    page.wait(OPEN)
    told = page.accessible()
    assert ("dialog", "conv1:3") in told and ("button", "Close") in told
    assert ("image", "Last sample of chain 4") in told
    assert ("image", "Average of conv1:3, converged") in told
    assert "gridcell" not in {role for role, _ in told}


def test_texts_of_strangers_are_shown_as_they_are(chromium, tmp_path):
    page = chromium.page(360, 640)
    long = "x" * 990
    write_index(tmp_path, [HOSTILE, long], network=HOSTILE, settings={HOSTILE: HOSTILE})
    small = png_of(picture(0, 28))
    for layer, label in ((HOSTILE, HOSTILE), (long, long)):
        write_neuron(tmp_path, row(Neuron(layer, 0), label=label), small, small)
    write_page(tmp_path)
    page.open(address(tmp_path))
    assert page.run("document.title") == HOSTILE
    assert page.run("document.querySelector('.heading bdi').textContent") == HOSTILE
    assert page.run("document.querySelectorAll('b, img, script:not([src])').length") == 0
    assert page.run("document.documentElement.scrollWidth") == 360
    page.click(".tile")
    page.wait(f"{OPEN} && {STEADY}")
    assert page.run("document.querySelectorAll('#closeup img').length") == 1
    # A long name neither widens the page nor hides what else there is.
    page.press("ArrowRight")
    assert page.run("document.getElementById('closeup').scrollWidth") <= 360
    assert page.run("document.querySelector('.average').getBoundingClientRect().top < innerHeight")
    # What is not the page's own does not run.
    page.run(
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.ran = true'}))"
    )
    assert page.run("window.ran") is None
    assert "Content Security Policy" in str(page.events("Log.entryAdded"))
    page.close()


def test_two_atlases_are_beside_each_other_also_after_they_moved(page, tmp_path):
    one, other = tmp_path / "from" / "one", tmp_path / "from" / "other"
    write_atlas(one, {"conv1": 6, "fc": 3}, network="before")
    write_atlas(other, {"fc": 4}, network="after")
    told = row(Neuron("fc", 0), activation=70.0)
    write_neuron(other, told, png_of(picture(9, 28)), None)
    for folder in (one, other):
        write_page(folder)
    write_comparison(one, other)
    shutil.move(tmp_path / "from", tmp_path / "to")
    page.open(address(tmp_path / "to" / "one"))
    page.open(page.run("document.querySelector('#comparison:not([hidden])').href"))
    assert page.run(COUNT) == "10 neurons"
    assert page.run("document.title") == "before and after"
    (both,) = search(page, "fc:0")
    assert "first: activation" in both and "second: activation 70.0" in both
    assert "; difference +" in both
    (alone,) = search(page, "fc:3")
    assert "first: not in this atlas" in alone
    assert len(search(page, "difference>50")) == 1
    page.press("Enter")
    page.press("Enter")
    page.wait(f"{OPEN} && {STEADY}")
    assert page.run("[...document.querySelectorAll('.average')].every(i => i.naturalWidth > 0)")
    assert "against the first" in page.run("document.getElementById('closeup').innerText")
    page.open(page.run("document.querySelectorAll('#about-text a')[1].href"))
    assert page.run("document.title") == "after"


def test_an_atlas_of_a_stranger_is_compared_as_it_is(page, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_atlas(one, {"conv1": 2})
    many = "9" * 50
    write_index(other, ["conv1", HOSTILE], network=HOSTILE, settings={HOSTILE: HOSTILE})
    small = png_of(picture(0, 28))
    for told in (
        row(Neuron("conv1", 1), label=HOSTILE, activation=-1e308, agreement=-1.0),
        row(Neuron(HOSTILE, 0), label="x" * 1000),
        row(Neuron("conv1", int(many))),
    ):
        write_neuron(other, told, small, small)
    files = other / "index+files"
    files.mkdir()
    (files / "data.js").write_text("document.title = 'bad'")
    (files / "page.js").write_text("document.title = 'bad'")
    assert main(["atlas-page", str(one), "--beside", str(other)]) == 0
    page.open(address(one, name="compare.html"))
    assert page.run(COUNT) == "4 neurons"
    assert page.run("document.title") == f"lenet and {HOSTILE}"
    assert page.run("document.querySelectorAll('b, #grid img, script:not([src])').length") == 0
    assert len(search(page, "difference<0")) == 1
    assert len(search(page, many)) == 1
    page.press("Enter")
    page.press("Enter")
    page.wait(f"{OPEN} && {STEADY}")
    assert page.run("location.hash") == f"#conv1:{many}"
    assert page.run("document.querySelectorAll('#closeup img').length") == 1


@pytest.mark.thorough
def test_layers_of_other_names_are_matched_by_their_order(page, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_atlas(one, {"conv1": 2, "fc": 3}, **{"weights' SHA-256": "abcdef0123"})
    write_atlas(other, {"features.0": 2, "classifier": 3}, **{"weights' SHA-256": "012345"})
    for folder in (one, other):
        write_page(folder)
    write_comparison(one, other)
    page.open(address(one, name="compare.html"))
    assert page.run(COUNT) == "5 neurons"
    assert page.run("document.title") == "lenet (abcdef) and lenet (012345)"
    assert page.run(TILES)[4].startswith("fc:2 and classifier:2; first: ")
    headings = "[...document.querySelectorAll('.heading')].map(h => h.firstChild.textContent)"
    assert page.run(headings) == ["conv1 and features.0", "fc and classifier"]
    assert "matched by their order" in page.run("document.getElementById('about').textContent")
    # Where the weights are the same, something else tells them apart.
    for folder, steps in ((one, 100), (other, 200)):
        write_index(folder, [], steps=steps)
        write_page(folder)
    page.call("Page.reload")
    page.wait("document.title === 'lenet (at most 100 steps) and lenet (at most 200 steps)'")


@pytest.mark.thorough
def test_an_atlas_that_is_gone_is_missed_in_words(chromium, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_atlas(one, {"conv1": 2})
    write_page(one)
    write_comparison(one, other)
    page = chromium.page()
    page.open(address(one, name="compare.html"))
    said = page.run("document.getElementById('nothing').innerText")
    assert said.startswith("The other atlas is not where it was; write the page again")
    page.open(page.run("document.querySelector('#nothing a').href"))
    assert page.run(COUNT) == "2 neurons"
    page.close()


@pytest.mark.thorough
def test_colours_follow_the_system_and_motion_is_left_out(chromium, atlas):
    for scheme, dark in (("light", False), ("dark", True)):
        page = chromium.page(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        page.open(address(atlas))
        colours = page.run(
            "(s => ['color', 'backgroundColor'].map(name => Number(/\\d+/.exec(s[name])[0])))"
            "(getComputedStyle(document.body))"
        )
        assert (colours[0] > colours[1]) is dark
        assert (
            page.run("getComputedStyle(document.querySelector('.frame')).transitionDuration")
            == "0s"
        )
        page.close()


def test_the_page_has_the_programs_colours():
    from ldam_studio.assets import asset
    from ldam_studio.gui.theme.colours import DARK, LIGHT

    css = asset("resources", "atlas", "page.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    for text, theme in ((light, LIGHT), (dark, DARK)):
        for token in ("background", "surface", "raised", "text", "muted", "accent", "warning"):
            assert f"--{token}: {getattr(theme, token)};" in text, token
