"""The page of an atlas of 26,000 neurons: writing it, opening it from disk, scrolling, searching.

Needs a Chromium; the pictures are noise, which is harder for a browser than real ones.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from row import Row

sys.path.insert(0, str(Path(__file__).parents[1]))

import browser
from atlas_folders import write_atlas
from browser import Browser, Page
from ldam_studio.atlas.page.writing import write_page

NEURONS, SHORT = 26_000, 2600
LAYERS = 26
FRAMES = 200
SCROLL = """new Promise(done => {{
  const times = [], scroller = document.getElementById('scroller');
  const frame = now => {{
    times.push(now);
    scroller.scrollTop += {pixels};
    if (times.length <= {frames}) requestAnimationFrame(frame);
    else done(times.slice(1).map((time, i) => time - times[i]));
  }};
  requestAnimationFrame(frame);
}})"""
SEARCH = """(() => {
  const began = performance.now(), field = document.getElementById('search');
  field.value = 'conv2:7 activation>3';
  field.dispatchEvent(new Event('input'));
  return new Promise(done => requestAnimationFrame(() => done(performance.now() - began)));
})()"""


def measure(*, short: bool = False) -> list[Row]:
    """Write an atlas, its page, and open it.

    The folder is thrown away. It has 1.1 GB of pictures and 0.4 GB of the page; `short`: a tenth.
    """
    neurons = SHORT if short else NEURONS
    layers = {f"layer{number}.0.conv2": neurons // LAYERS for number in range(LAYERS)}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "atlas"
        write_atlas(folder, layers, side=112, zoom=1, coarse=16)
        rows = _writing(folder, neurons)
        if browser.found() is None:
            print("no Chromium", file=sys.stderr)
            return rows
        return rows + _browsing(folder, Path(place) / "chromium")


def _writing(folder: Path, neurons: int) -> list[Row]:
    began, processor = time.perf_counter(), time.process_time()
    write_page(folder)
    first, processor = time.perf_counter() - began, time.process_time() - processor
    began = time.perf_counter()
    write_page(folder)
    again = time.perf_counter() - began
    return [
        Row(f"page of {neurons:,} neurons: written, s", first),
        Row("the same, processor time, s", processor),
        Row("the same, when nothing has changed, s", again, "<= 5"),
    ]


def _browsing(folder: Path, profile: Path) -> list[Row]:
    running = Browser(profile)
    try:
        page = running.page()
        page.open((folder / "index.html").as_uri())
        timing = "performance.getEntriesByType('navigation')[0]"
        opening = []
        for _ in range(5):
            page.call("Page.reload", ignoreCache=True)
            page.wait(f"{timing}.loadEventEnd > 0 && document.querySelector('.tile')")
            opening.append(page.run(f"{timing}.loadEventEnd"))
        page.call("Performance.enable")
        began, whole = _processor_ms(page), _processors_ms(running)
        slow = np.array(page.run(SCROLL.format(frames=FRAMES, pixels=40)))
        whole = (_processors_ms(running) - whole) / FRAMES
        fast = np.array(page.run(SCROLL.format(frames=FRAMES, pixels=2000)))
        each = (_processor_ms(page) - began) / (2 * FRAMES)
        tiles = page.run("document.querySelectorAll('.tile').length")
        return [
            Row("from disk to the first neurons, median of 5, ms", np.median(opening), "<= 1000"),
            Row("scrolling: frame, median, ms", np.median(slow), "<= 17.5"),
            Row("scrolling: frame, 95th percentile, ms", np.percentile(slow, 95), "<= 34"),
            Row("scrolling past: frame, 95th percentile, ms", np.percentile(fast, 95), "<= 50"),
            Row("scrolling: processor time of the page's thread in a frame, ms", each, "<= 8"),
            Row("the same of all its threads, which also paint, ms", whole, "<= 10"),
            Row("neurons that exist while all are listed", tiles),
            Row("search for an address and a number, ms", page.run(SEARCH), "<= 100"),
        ]
    finally:
        running.close()


def _processors_ms(running: Browser) -> float:
    """Return the processor time so far of the processes that lay out and paint pages."""
    processes = running.call("SystemInfo.getProcessInfo")["processInfo"]
    return 1000 * sum(each["cpuTime"] for each in processes if each["type"] == "renderer")


def _processor_ms(page: Page) -> float:
    """Return the processor time of the page's own thread so far, which leaves out waiting."""
    metrics = page.call("Performance.getMetrics")["metrics"]
    return 1000 * next(each["value"] for each in metrics if each["name"] == "ThreadTime")
