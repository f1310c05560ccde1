"""Traces as a table and the session's arrays, as other programs read them."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PyQt6.QtWidgets import QFileDialog

from gui import fakes
from gui.windows import CPU, lenet, paused, until
from ldam_studio.engine.advance import advance
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.arrays import arrays_of, npz, values_of
from ldam_studio.export.trace_table import table_bytes
from ldam_studio.gui.traces.run import RECENT, Run
from ldam_studio.gui.traces.table import table_of
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture(scope="module")
def compared():
    twin = open_network("lenet-averaged")
    spec = SessionSpec(lenet(), lenet().default_neurons(2), device=CPU, beside=(LaneSpec(twin),))
    return advance(advance(open_session(spec))[0])[0]


def _run(count, lanes=1):
    """Return a run of two chains with random activations (count, 2) for each lane."""
    rng, run = np.random.default_rng(1), Run()
    drawn = rng.standard_normal((lanes, count, 2)).astype(np.float32)
    missing = np.full((count, 2), np.nan, np.float32)
    steps = np.arange(1, count + 1)
    made = [
        SimpleNamespace(
            neurons=("fc3:0", "fc3:1"),
            objective="activation",
            trace=SimpleNamespace(
                steps=steps,
                activation=values,
                real_probability=missing,
                change=abs(values),
                acceptance=missing,
            ),
        )
        for values in drawn
    ]
    frame = fakes.frame(steps=steps, marks=((3, "L2 weight, 0.5"),))
    run.add(SimpleNamespace(lanes=tuple(made), marks=frame.marks, lesson=None))
    return run, drawn


def _read(table):
    lines = table_bytes(table).decode().splitlines()
    about = [line[2:] for line in lines if line.startswith("#")]
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    return about, rows[0], rows[1:]


def test_the_numbers_are_exact_and_named(compared):
    run, drawn = _run(7, lanes=2)
    about, head, rows = _read(table_of(run, compared.outline, whole=False))
    assert head[:4] == [
        "step",
        "A activation chain 1",
        "A activation chain 2",
        "A change of average chain 1",
    ]
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    for lane, name in enumerate("AB"):
        at = head.index(f"{name} activation chain 1")
        values = np.array([row[at : at + 2] for row in rows], np.float32)
        assert np.array_equal(values, drawn[lane])
    assert "step 3: L2 weight, 0.5" in about
    assert "A: chain 2: fc3:1, called 1" in about
    assert any(line.startswith("B: network lenet-averaged, weights ") for line in about)
    assert any(line.startswith("A: settings at the end: Temperature ") for line in about)


def test_a_long_run_is_bounded_and_says_what_its_rows_are(compared):
    run, drawn = _run(5000)
    outline = SimpleNamespace(seed=1, lanes=compared.outline.lanes[:1])
    _, head, rows = _read(table_of(run, outline, whole=False))
    assert len(rows) == RECENT and float(rows[-1][1]) == pytest.approx(drawn[0, -1, 0])
    about, head, rows = _read(table_of(run, outline, whole=True))
    assert len(rows) < 1100
    assert "each row is of 8 steps, of which step is the first" in about
    assert head[1] == "activation least chain 1"
    part = drawn[0, 8:16, 0]
    assert np.float32(rows[1][1]) == part.min()
    assert np.float32(rows[1][head.index("activation greatest chain 1")]) == part.max()


def test_the_arrays_are_read_without_pickles(compared, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(npz(arrays_of(compared) | values_of(compared)))
    with np.load(path, allow_pickle=False) as arrays:
        first, second = compared.lanes
        assert np.array_equal(arrays["x"], first.chains.x.numpy())
        assert np.array_equal(arrays["second_average"], second.average.mean.numpy())
        assert arrays["samples"].tolist() == [2, 2] and int(arrays["step"]) == 2
        assert arrays["neurons"].tolist() == ["fc3:0", "fc3:1"]
        assert json.loads(str(arrays["settings"]))["lanes"][1]["network"]["name"] == (
            "lenet-averaged"
        )
        assert arrays["activation_at_x"] == pytest.approx(
            first.activation(first.chains.x).detach().numpy(), rel=1e-5
        )


@pytest.mark.parametrize(("action", "name"), [("traces", "a.csv"), ("arrays", "a.npz")])
def test_from_the_window(studio, qtbot, tmp_path, monkeypatch, action, name):
    until(qtbot, lambda: studio.last_frame.step > 2)
    paused(studio, qtbot)
    stem = tmp_path / name.partition(".")[0]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(stem), ""))
    studio.actions_by_name[f"export_{action}"].trigger()
    until(qtbot, lambda: f"Saved {tmp_path / name}." in studio.banner.texts())
    assert (tmp_path / name).stat().st_size > 500


def test_what_cannot_be_written_is_one_sentence(studio, qtbot, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    to = str(tmp_path / "file" / "a.npz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (to, ""))
    studio.actions_by_name["export_arrays"].trigger()
    until(qtbot, lambda: "cannot be written" in "".join(studio.banner.texts()))
