"""What `ldam-studio render` reports about a neuron that sees only a part of the image."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ldam_studio.cli import main
from ldam_studio.networks.sources.opening import open_network

CODE = """
import torch
from torch import nn


def silent():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.Conv2d(3, 1, 3, stride=2, padding=1),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 3),
    )
    net[1].weight.data.normal_()
    net[1].bias.data.fill_(-18.0)
    net.pixels = {"channels": 3, "height": 40, "width": 56, "mean": [0.5] * 3, "std": [0.25] * 3,
                  "rest": 0.5}
    return net.eval()
"""


def test_a_neuron_that_is_silent_on_noise_has_the_activation_of_plain_torch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    code = tmp_path / "silent_on_noise.py"
    code.write_text(CODE)
    words = ["--neuron", "2:0@3,10", "--steps", "60", "--seed", "1", "--arrays", "--json"]
    assert main(["render", "--network", f"{code}:silent", *words, "--out", str(tmp_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("silent_on_noise", None)
    from silent_on_noise import silent  # type: ignore[import-not-found]

    with np.load(tmp_path / "chains.npz") as arrays:
        x = (torch.from_numpy(arrays["x"]) - 0.5) / 0.25
    value = float(silent()[:3](x)[0, 0, 3, 10].detach())
    assert value > 1
    assert report["activation"] == [pytest.approx(value, rel=1e-5)]


def test_the_activation_in_a_report_is_that_of_plain_torch_with_any_objective(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ["--neuron", "fc3:3-4", "--steps", "5", "--arrays", "--json", "--out", str(tmp_path)]
    assert main(["render", "--network", "lenet", "--objective", "mix", *words]) == 0
    report = json.loads(capsys.readouterr().out)
    with np.load(tmp_path / "chains.npz") as arrays:
        assert "activation" not in arrays and arrays["objective"].shape == (5, 2)
        x = torch.from_numpy(arrays["x"])
    logits = open_network("lenet").output(x, "fc3").detach()
    outputs, log_p = (
        t[torch.arange(2), torch.tensor([3, 4])] for t in (logits, logits.log_softmax(1))
    )
    assert report["activation"] == pytest.approx(outputs.tolist(), rel=1e-4, abs=1e-4)
    assert report["objective"] == "mix"
    assert report["objective_value"] == pytest.approx(
        (outputs + log_p).tolist(), rel=1e-4, abs=1e-4
    )
