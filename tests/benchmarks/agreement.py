"""How often a verdict is wrong on chains whose agreement is known, and what recording costs.

Every target of `agreement_targets` is drawn anew for each length of the record. *False agreement*
is "the chains agree" of chains that do not, *false alarm* is "the chains still disagree" of chains
with one law. The intervals are Wilson's, of 95 %.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from statistics import NormalDist, median

import numpy as np
import torch
from row import Row

from ldam_studio.engine.advance import advance
from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.explore.agreement.neurons import verdicts_of
from ldam_studio.explore.agreement.verdict import Kind, judge
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))

LENGTHS = (150, 400, 1000)
DRAWS = 20
OF_LARGE = 4  # draws of targets with many chains
LARGE = ("many", "one of many")
STEPS = 150


def measure() -> list[Row]:
    """Print what was said of each target, and return rates and costs."""
    from agreement_targets import TARGETS

    wrong: dict[bool, list[int]] = {True: [0, 0], False: [0, 0]}
    for target in TARGETS:
        said: Counter[str] = Counter()
        for length in LENGTHS:
            for seed in range(OF_LARGE if target.name in LARGE else DRAWS):
                kind = judge(target.draw(np.random.default_rng((seed, length)), length)).kind
                said[kind.value] += 1
                mistake = Kind.DISAGREE if target.agrees else Kind.AGREE
                wrong[target.agrees][0] += kind is mistake
                wrong[target.agrees][1] += 1
        words = ", ".join(f"{kind} {n}" for kind, n in said.most_common())
        truth = "one law" if target.agrees else "do not agree"
        print(f"  {target.name} ({truth}): {words}", file=sys.stderr, flush=True)
    rows = []
    for agrees, name in ((False, "false agreement"), (True, "false alarm")):
        hits, count = wrong[agrees]
        low, high = wilson(hits, count)
        rows += [
            Row(f"{name}: share of {count} records", hits / count, "<= 0.01"),
            Row(f"{name}: lower end of the interval", low),
            Row(f"{name}: upper end of the interval", high, "<= 0.02"),
        ]
    return rows + _costs()


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, 1927)."""
    z = NormalDist().inv_cdf(0.975)
    share, slack = hits / count, z * z / count
    middle = (share + slack / 2) / (1 + slack)
    half = z / (1 + slack) * (share * (1 - share) / count + slack / count / 4) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _costs() -> list[Row]:
    """Compare steps of 100 chains of LeNet with and without a record, in turns."""
    torch.set_num_threads(1)
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(100), Settings.of(burn_in=1)))
    recorder = Recorder(wanted=True)
    recorder(state, None)
    plain, recorded = [], []
    for _ in range(STEPS):
        began = time.process_time()
        state, info = advance(state)
        middle = time.process_time()
        recorder(state, info)
        plain.append(middle - began)
        recorded.append(time.process_time() - middle)
    began = time.process_time()
    verdicts_of(recorder.records()[0])
    took = time.process_time() - began
    return [
        Row(
            "recording 100 chains of LeNet, share of a step", sum(recorded) / sum(plain), "<= 0.02"
        ),
        Row("judging them once, in steps", took / median(plain)),
    ]
