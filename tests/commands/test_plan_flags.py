"""What flags mean for the plan of execution, and what ``info`` says of it."""

from __future__ import annotations

import argparse
import json

import pytest
import torch
from torch import nn

from ldam_studio.cli import main
from ldam_studio.commands.info import about_network, words_on_network
from ldam_studio.commands.shared.flags import add_device, device_of
from ldam_studio.engine.compute.device import Device, choose
from ldam_studio.engine.plans.cache import key_of, remember
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.plan import BFLOAT16, CHANNELS_LAST, PLAIN, Plan


def device(*flags: str, **keywords) -> Device:
    parser = argparse.ArgumentParser()
    add_device(parser, **keywords)
    return device_of(parser.parse_args([*flags]))


def test_flags_fix_what_they_name_and_leave_the_rest_to_the_measurement():
    plain = choose("auto", "float32")
    assert device("--precision", "float32") == device(reproducible=True) == plain
    assert plain.plan == PLAIN and not plain.tried
    assert device().precision == device().layout == "auto"
    half = device("--precision", "bfloat16", "--threads", "3")
    assert (half.precision, half.threads, half.layout) == ("bfloat16", 3, "auto")


def test_info_says_in_plain_words_which_plan_was_found(monkeypatch, tmp_path):
    monkeypatch.setenv("LDAM_CACHE_DIR", str(tmp_path))
    torch.manual_seed(0)
    network = Network(
        "mine", nn.Sequential(nn.Conv2d(3, 4, 3)), PixelSpec(3, 8, 8, (0.5,) * 3, (0.25,) * 3)
    )
    assert about_network(network)["plans"] == []
    for chains in (1, 6):
        spec = SessionSpec(network, network.spread("0", chains), device=choose("cpu"))
        state = open_session(spec)
        plan = Plan(BFLOAT16, layout=CHANNELS_LAST) if chains > 1 else PLAIN
        remember(key_of(state.device, state.lane), plan)
    text = words_on_network(about_network(network))
    assert "plan for 0 at 3 x 3 x 3 and 1 chain: float32, 1 thread" in text
    assert "plan for 0 at 3 x 3 x 3 and 4 or more chains: bfloat16, channels last, 1 thread" in text


@pytest.mark.parametrize("flags", [[], ["--precision", "float32"]])
def test_render_takes_its_plan_from_the_flags(tmp_path, capsys, flags):
    assert main(["render", "--steps", "2", "--out", str(tmp_path), "--json", *flags]) == 0
    json.loads(capsys.readouterr().out)
    assert main(["replay", str(tmp_path / "average.png")]) == 0
