"""Warm restarts against a constant temperature: what is counted, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ldam_studio.analysis.warm_restarts import Plan, _found, examine, schedules
from ldam_studio.cli import main
from ldam_studio.engine.compute.device import choose
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.schedule import Clock, at_present
from ldam_studio.sampler.settings import Settings


def test_modes_and_crossings_are_those_of_the_averages():
    left, right = torch.zeros(2, 1, 2, 2)
    left[0, 0], right[0, 1] = 1, 1
    first, second = [left, left, right], [left, left, left]  # two chains, three cycles
    averages = torch.stack([torch.stack(each) for each in zip(first, second, strict=True)])
    found = _found(averages, torch.full((3, 2), 4.0), 0.0, 0.5)
    assert len(found.pictures) == 2 and torch.equal(found.pictures[0], left)
    assert found.crossed == 0.25 and found.activation == 4


def test_all_schedules_end_at_the_same_temperature():
    plan = Plan(cycles=3, length=20, hot=8)
    found = schedules(Settings.of(temperature=0.25), plan)
    at = {
        name: [at_present(settings, Clock(t)).temperature for t in (0, 20, 40, 60)]
        for name, settings in found.items()
    }
    assert at["constant"] == [0.25] * 4 and at["cycles"] == [2] * 4
    assert at["once"] == pytest.approx([2, 1, 0.5, 0.25])


def test_restarts_take_chains_to_other_images():
    network, device = open_network("lenet"), choose("cpu", "float32")
    plan = Plan(chains=1, cycles=3, length=60, hot=1_000)
    of_each = schedules(Settings.of(step_size=0.1, temperature=0.01, l2=2.0), plan)
    neurons = network.default_neurons(2)
    constant, cycles = (
        examine(network, neurons, of_each[name], plan, 1, device) for name in ("constant", "cycles")
    )
    assert [found.crossed for found in constant] == [0, 0]
    assert all(found.crossed > 0 and len(found.pictures) > 1 for found in cycles)


def test_the_page_has_every_measure_with_its_interval(tmp_path: Path, capsys):
    flags = "--chains 1 --cycles 2 --length 4 --seeds 2 --threads 1".split()
    assert main(["paper", "cycles", "--out", str(tmp_path), *flags]) == 0
    printed = capsys.readouterr().out
    assert "cycles minus constant" in printed and "8 steps" in printed
    found = json.loads((tmp_path / "cycles.json").read_text())
    assert found["cycles"] == 2 and found["seeds"] == [0, 1]
    for measures in found["means"].values():
        for interval in measures.values():
            assert interval["low"] <= interval["value"] <= interval["high"]
    assert (tmp_path / "cycles.png").is_file()
