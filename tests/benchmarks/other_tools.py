"""A step of ours against one of torch-lucent, on the same neurons.

Lucent ascends the gradient without noise, L2 or average; both look at the same units of four images
at one thread. It runs bare (pixels, no transforms) against our steps without views, and at its
defaults (frequencies, its transforms) against ours with a random view.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from dataclasses import replace

import torch
from bare import unprepared
from crops import Seconds, seconds_per_call
from row import Row
from step import SETTINGS, VIEWS, fastest, squeezenet

from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import computes_in_bfloat16
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.settings import Settings

INSTALL = "pip install '.[bench]' and pip install --no-deps torch-lucent==0.1.8"
CHAINS = 4
LUCENT_STEPS = (2, 8)
LEAST = {
    ("float32", False): 1.2,
    ("float32", True): 1.2,
    ("bfloat16", False): 1.8,
    ("bfloat16", True): 2.5,
}
"""How much faster a class neuron is, by precision and by whether lucent runs at its defaults."""
CASES = {
    "alexnet": ("features.3", "features.10", "classifier.6"),
    "resnet18": ("layer1", "layer4", "fc"),
}


def measure() -> list[Row]:
    """Compare times per step; no rows where torch-lucent is not installed."""
    if importlib.util.find_spec("lucent") is None:
        print(f"torch-lucent is not installed: {INSTALL}", file=sys.stderr)
        return []
    torch.set_num_threads(1)
    rows = []
    for name, layers in CASES.items():
        network = open_network(f"torchvision:{name}", options=Options(untrained=True))
        module = unprepared(network.module)
        for layer in layers:
            settings = Settings.of(mode="normalised", clamp=True)
            spec = SessionSpec(
                network, network.spread(layer, CHAINS), settings, device=choose("cpu", "float32")
            )
            state = open_session(spec)
            while state.lane.thresholds.wanted:
                state, _ = advance(state)
            lucent, ours = _lucent_seconds(module, layer), _our_seconds(state)
            what = f"{name} {layer}: whole step, torch-lucent / ours"
            rows.append(Row(f"{what}, CPU time", lucent.cpu / ours.cpu))
            rows.append(Row(f"{what}, wall time", lucent.wall / ours.wall))
    return rows + _class_neuron()


def _class_neuron() -> list[Row]:
    """Compare classes of SqueezeNet, bare and at lucent's defaults, in each precision of ours."""
    network = squeezenet()
    module, layer = unprepared(network.module), network.class_layer.name
    rows = []
    for defaults, values in ((False, {}), (True, VIEWS)):
        lucent = _lucent_seconds(module, "classifier.3", defaults)
        ways = "at its defaults / ours with a view" if defaults else "bare / ours without views"
        for precision in ("float32", "bfloat16") if computes_in_bfloat16("cpu") else ("float32",):
            settings = Settings.of(**SETTINGS, **values)
            spec = SessionSpec(network, network.spread(layer, CHAINS), settings)
            ours = _our_seconds(open_session(replace(spec, device=fastest(spec, precision))))
            rows.append(
                Row(
                    f"squeezenet1_0 class, {precision}: torch-lucent {ways}, CPU time",
                    lucent.cpu / ours.cpu,
                    f">= {LEAST[precision, defaults]}",
                )
            )
    return rows


def _our_seconds(state: SessionState) -> Seconds:
    holder = [state]

    def step() -> None:
        holder[0], _ = advance(holder[0])

    step()
    return seconds_per_call(step)


def _lucent_seconds(module: torch.nn.Module, layer: str, defaults: bool = False) -> Seconds:
    """Return the time per step: the difference of a longer and a shorter run."""
    from lucent.optvis import objectives, param, render

    name = layer.replace(".", "_")
    plane = not isinstance(module.get_submodule(layer), torch.nn.Linear)
    unit = objectives.neuron if plane else objectives.channel
    objective = objectives.Objective.sum([unit(name, i, batch=i) for i in range(CHAINS)])

    def run(steps: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lucent's own, about torch's newer ways
            render.render_vis(
                module,
                objective,
                lambda: param.image(224, batch=CHAINS, fft=defaults, decorrelate=defaults),
                transforms=None if defaults else [],
                thresholds=(steps,),
                progress=False,
                show_image=False,
            )

    short, long = LUCENT_STEPS
    run(1)
    longer, shorter = (seconds_per_call(lambda n=n: run(n)) for n in (long, short))
    steps = long - short
    return Seconds((longer.cpu - shorter.cpu) / steps, (longer.wall - shorter.wall) / steps)
