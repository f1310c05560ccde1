"""A contact sheet of SqueezeNet's 64 `features.3` channels, as the command makes it."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch
from row import Row

from ldam_studio.commands.sheet import add_arguments, spec_of
from ldam_studio.explore.sheets.folder import SheetFolder
from ldam_studio.explore.sheets.making import make, write_page

WEIGHTS = Path(os.environ.get("LDAM_DATA", "data"), "weights/squeezenet1_0_imagenet.safetensors")
SECONDS = 120


def measure() -> list[Row]:
    """Draw the sheet and its page once, on one thread; the folder is thrown away."""
    torch.set_num_threads(1)
    # Random weights, where the trained ones are missing, take about as long.
    weights = str(WEIGHTS) if WEIGHTS.is_file() else "random:0"
    words = ["--network", "torchvision:squeezenet1_0", "--weights", weights]
    words += ["--layer", "features.3", "--neurons", "0-63", "--device", "cpu"]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    started, processor = time.perf_counter(), time.process_time()
    spec = spec_of(parser.parse_args(words))
    with tempfile.TemporaryDirectory() as folder:
        made = list(make(spec, SheetFolder(spec, Path(folder))))
        write_page(spec, made, "similarity", Path(folder) / "page.png")
    seconds, processor_s = time.perf_counter() - started, time.process_time() - processor
    return [
        Row("sheet of 64 channels of SqueezeNet's features.3, s", seconds, f"<= {SECONDS}"),
        Row("the same, processor time, s", processor_s),
        Row("of them converged", sum(one.row.converged for one in made)),
    ]
