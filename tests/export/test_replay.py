"""An exported picture, run again, has the same pixels, whatever was done to the session before."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from former_formats import in_format_1
from ldam_studio.engine import tuning
from ldam_studio.engine.advance import ChainsExploded, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.discriminator import learning_from
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export import exporting, recipe
from ldam_studio.export.exporting import export
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read, read_recipe
from ldam_studio.export.locate import Nearby
from ldam_studio.export.replay import compare, differences
from ldam_studio.export.rerun import rerun, spec_at_export
from ldam_studio.export.session_file import read_session, session_bytes
from ldam_studio.export.shown import KINDS, Shown, picture_of
from ldam_studio.networks.discriminators import DIGITS, open_discriminator
from ldam_studio.networks.models import vgg
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.plan import PLAIN, Plan
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import read_saved, write_weights
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.real_images import REAL_IMAGES, RealImages


@pytest.fixture(scope="module")
def discriminator_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of an untrained discriminator: replaying does not care how good it is."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(3)
        write_weights(path, DigitDiscriminator().state_dict(), {})
    return path


@functools.cache
def lenet() -> Network:
    """Return LeNet, opened once; replaying opens it anew."""
    return open_network("lenet")


def opened(discriminator: Path | None = None, **settings) -> SessionState:
    network = lenet()
    return open_session(
        SessionSpec(
            network,
            network.default_neurons(4),
            Settings.of(temperature=0.1, **settings),
            seed=7,
            discriminator=discriminator and open_discriminator(weights=discriminator),
        )
    )


def run(state: SessionState, steps: int, *changes: Change) -> SessionState:
    state, info = advance(state, changes)
    assert not info.refused
    for _ in range(steps - 1):
        state, _ = advance(state)
    return state


def same(one: SessionState, other: SessionState) -> bool:
    return torch.equal(one.lane.chains.x, other.lane.chains.x) and torch.equal(
        one.lane.average.mean, other.lane.average.mean
    )


@pytest.mark.parametrize("what", KINDS)
def test_every_kind_of_picture_is_identical(tmp_path: Path, what: str):
    state = run(opened(), 30)
    shown = Shown(what, front=2 if what in ("average", "raw") else 0, zoom=3, scale=1.5)
    export(state, shown, tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    assert found.correlation == 1.0
    assert found.differences == ()
    assert found.steps == 30


@pytest.mark.parametrize("mode", [{"mode": "exact"}, *({"kernel": name} for name in KERNELS)])
def test_after_sliders_neurons_and_melting(tmp_path: Path, mode: dict[str, str]):
    state = run(opened(**mode, thin=2), 20)
    state = run(state, 5, Change("temperature", 0.5), Change("l2", 0.2))
    state = run(state, 5, Change("neurons", tuple(Neuron("fc3", i) for i in (5, 5, 6, 7))))
    state = run(state, 5, Change("melt", 7))
    state = run(state, 3, Change("heat", 400.0))
    state = run(state, 3, Change("heat", 1.0))
    state = run(state, 3, Change("heat_some", Heated((1, 3), 50.0)), Change("hold", (0,)))
    state = run(state, 3, Change("heat_some", Heated((1, 3), 1.0)), Change("restart_some", (2,)))
    state = run(state, 3, Change("release", (0,)), Change("hold", (1, 3)))
    state = run(state, 3, Change("keep", (0, 1, 3)))
    state = run(state, 5, Change("chains", 6), Change("average_over", "both"))
    state = run(state, 5, Change("average_group", (0, 1, 1, 0, 2, 0)))
    state = run(state, 5, Change("step_size", (0.1, 0.2, 0.05, 0.1, 0.1, 0.1)))
    state = run(state, 5, Change("neurons", (Neuron("conv2", 3),)), Change("window", 9))
    state = run(state, 5, Change("network", open_network("lenet-averaged")))
    # Moved while paused, after the last step.
    state, _ = advance(state, [Change("temperature", 0.3), Change("reset_average")], 0)
    state, _ = advance(state, [Change("seed", 11)], 0)
    state = run(state, 8, Change("clamp", True))
    state, _ = advance(state, [Change("average_over", "time")], 0)
    export(state, Shown("averages"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    again = rerun(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert again is not None and same(state, again)
    assert again.log == state.log


def test_random_views_over_changes_and_a_restart(tmp_path: Path):
    views = {"jitter": 2, "view_zoom": 1.3, "view_rotation": 20.0, "view_flip": True, "views": 3}
    state = run(opened(**views), 6)
    state = run(state, 4, Change("views", 1), Change("view_zoom", 1.1))
    state = run(state, 4, Change("neurons", (Neuron("conv1", 3),)))
    state = run(state, 4, Change("seed", 11), Change("jitter", 0))
    export(state, Shown("averages"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    again = rerun(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert again is not None and same(state, again)


@pytest.mark.parametrize("teaching", ["learn_every", "discriminator_rounds"])
def test_a_discriminator_that_came_later_and_learned_before_a_restart(
    tmp_path: Path, discriminator_file: Path, teaching: str
):
    lenet = open_network("lenet")
    settings = Settings.of(temperature=0.1, discriminator_weight=0.5)
    spec = SessionSpec(lenet, lenet.default_neurons(2), settings, **{teaching: 1})
    state = run(open_session(spec), 2)
    state = run(state, 1, Change("discriminator", open_discriminator(weights=discriminator_file)))
    path = tmp_path / "later.safetensors"
    write_weights(path, lenet.module.state_dict(), {})
    state = run(state, 5, Change("weights", lenet.with_weights(*_opened(path))))
    assert state.learner is not None and state.learner.rounds
    state = run(state, 5, Change("restart"))
    export(state, Shown("raw"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical and not found.differences


def _opened(path: Path) -> tuple[dict[str, Any], Path, str]:
    saved, sha256 = read_saved(path)
    return saved, path, sha256


def test_after_the_discriminator_learned_and_was_reverted(tmp_path: Path, discriminator_file: Path):
    state = run(opened(discriminator_file, clamp=True, discriminator_weight=0.5), 4)
    state = run(state, 6, Change("learn_every", 2))
    state = run(state, 3, Change("learn_every", 0))
    state = run(state, 5, Change("revert_discriminator"), Change("learn_every", 3))
    assert state.learner is not None and state.learner.rounds
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    again = rerun(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert again is not None and again.learner is not None
    mine, its = state.learner.tensors(), again.learner.tensors()
    assert mine.keys() == its.keys()
    assert all(torch.equal(mine[name], its[name]) for name in mine)


@pytest.mark.parametrize("learning", [False, True])
def test_steps_before_a_restart_are_left_out_where_nothing_of_them_is_left(
    tmp_path: Path, discriminator_file: Path, learning: bool
):
    changes = [Change("learn_every", 3)] if learning else []
    state = run(opened(discriminator_file, discriminator_weight=0.5), 10, *changes)
    state = run(state, 5, Change("temperature", 0.3), Change("melt", 50))
    state = run(state, 5, Change("restart"), Change("l2", 0.3))
    state = run(state, 5, Change("chains", 3), Change("thin", 2))
    state = run(state, 6, Change("seed", 5))
    export(state, Shown("strip"), tmp_path / "a.png")
    seen = []
    found = compare(tmp_path / "a.png", on_step=lambda done, total: seen.append((done, total)))
    assert found is not None and found.identical
    assert len(seen) == (31 if learning else 6)


def test_real_images_that_are_others_are_named(tmp_path: Path, discriminator_file: Path):
    state = run(opened(discriminator_file, discriminator_weight=0.5), 4, Change("learn_every", 1))
    state.real_images = state.real_images.flip(0)
    state = run(state, 4)
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and not found.identical
    assert found.differences == ("the real images from which the discriminator learned",)


def test_real_images_that_were_chosen_later_replay_as_if_they_had_been_there_from_the_start(
    tmp_path: Path, discriminator_file: Path, monkeypatch
):
    def load(data, shape, seed):
        assert data == tmp_path
        drawn = torch.Generator().manual_seed(3)
        return torch.randint(0, 256, (40, *shape), generator=drawn).to(torch.uint8)

    monkeypatch.setitem(REAL_IMAGES, DIGITS, RealImages(load, str))
    state = run(opened(discriminator_file, discriminator_weight=0.5), 4)
    state = run(learning_from(state, tmp_path), 6, Change("learn_every", 2))
    assert state.learner is not None and state.learner.rounds == 3
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical and not found.differences
    with pytest.raises(StudioError, match="has learned already"):
        learning_from(state, tmp_path)


def test_after_a_chain_exploded_and_was_saved(tmp_path: Path):
    state = run(opened(mode="exact"), 10)
    state, _ = advance(state, [Change("l2", 1000.0), Change("step_size", 10.0)], 0)
    with pytest.raises(ChainsExploded) as caught:
        for _ in range(100):
            state, _ = advance(state)
    state = caught.value.state
    exploded_at = state.step
    state = run(state, 5, Change("l2", 0.1), Change("step_size", 0.1), Change("clamp", True))
    assert state.step == exploded_at + 5
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical


def through_the_reference_mode() -> SessionState:
    state = run(opened(mode="exact"), 5)
    state = run(state, 5, Change("kernel", "bidmach"))
    state = run(state, 5, Change("mode", "normalised"), Change("kernel", "langevin"))
    state = run(state, 5, Change("kernel", "bidmach"))
    return run(state, 5, Change("mode", "exact"), Change("kernel", "langevin"))


FORMER_LOG = [
    *([5, "mode", "reference"], [10, "mode", "normalised"]),
    *([15, "mode", "reference"], [20, "mode", "exact"]),
]
"""What 0.1.0 wrote of that session: it changed the mode alone, which decided the kernel."""


def test_the_reference_mode_of_0_1_0_replays(tmp_path: Path):
    state = through_the_reference_mode()
    made = export(state, Shown("strip"), tmp_path / "new.png")
    data = in_format_1(json.loads(read_recipe(made.path).text))
    for settings in (data["session"]["settings"], data["end"]["settings"]):
        del settings["kernel"], settings["friction"]
    data["log"] = FORMER_LOG
    again = rerun(recipe.Recipe(data), Nearby(tmp_path))
    assert again is not None and same(state, again)
    assert [entry.json() for entry in again.log] == json.loads(read_recipe(made.path).text)["log"]


def test_a_session_file_of_0_1_0_goes_on_after_the_reference_mode(tmp_path: Path):
    """A picture exported from there has the old log and what was changed since."""
    state = through_the_reference_mode()
    data = session_bytes(state, history=True)
    saved = json.loads(saved_text(data))
    saved["about"]["version"], saved["log"] = 1, FORMER_LOG
    path = tmp_path / "last.ldam-session.safetensors"
    path.write_bytes(save(load(data), {"ldam": json.dumps(saved)}))
    again = read_session(path)
    assert again.log == state.log
    again = run(again, 5, Change("kernel", "mala"))
    export(again, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical


@pytest.mark.parametrize(
    "text", ["", "{}", "[" * 100_000, "[1, NaN]", '{"about": {"version": 2, "session": "\\ud800"}}']
)
def test_a_session_file_that_says_nothing_of_use_is_one_sentence(tmp_path: Path, text: str):
    path = tmp_path / "last.ldam-session.safetensors"
    path.write_bytes(save({"lanes.0.x": torch.zeros(1)}, {"ldam": text}))
    with pytest.raises(StudioError, match="damaged") as caught:
        read_session(path)
    assert "\n" not in str(caught.value)


def test_a_log_with_numbers_that_no_recipe_can_hold_is_one_sentence(tmp_path: Path):
    data = session_bytes(opened(), history=True)
    altered = save(
        load(data), {"ldam": saved_text(data).replace('"log": []', '"log": [[0, "l2", NaN]]')}
    )
    path = tmp_path / "last.ldam-session.safetensors"
    path.write_bytes(altered)
    with pytest.raises(StudioError, match="damaged"):
        read_session(path)


@pytest.mark.parametrize("number", ["-1", "1e400", "1" + 30 * "0"])
@pytest.mark.parametrize("name", ["step", "melting", "clock", "balance"])
def test_a_session_file_with_impossible_counts_is_one_sentence(
    tmp_path: Path, name: str, number: str
):
    data = session_bytes(run(opened(schedule=10, step_size_start=0.5), 3), history=False)
    saved = json.loads(saved_text(data))
    lane = saved["about"]["lanes"][0]
    places = {"clock": (lane["clock"], "steps"), "balance": (lane, "balance")}
    place, key = places.get(name, (saved["about"], name))
    place[key] = "HERE"
    path = tmp_path / "last.ldam-session.safetensors"
    path.write_bytes(save(load(data), {"ldam": json.dumps(saved).replace('"HERE"', number)}))
    with pytest.raises(StudioError, match="damaged") as caught:
        read_session(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def saved_text(data: bytes) -> str:
    """Return what a session file says beside its tensors."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header["__metadata__"]["ldam"]


def long_drag(state: SessionState) -> SessionState:
    for i in range(80):
        state = run(state, 1, Change("temperature", 0.1 + i / 1000))
    return state


def test_a_long_session_goes_on_from_a_sidecar(
    tmp_path: Path, discriminator_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exporting, "LIMIT", 4000)
    state = opened(discriminator_file, discriminator_weight=0.5, kernel="bidmach")
    state = long_drag(run(state, 5, Change("learn_every", 4)))
    first = export(state, Shown("raw"), tmp_path / "first.png")
    assert first.sidecar is not None and first.sidecar.exists()
    assert state.log == []
    assert len(read_recipe(first.path).text) < 4000
    assert compare(first.path).identical

    # The log goes on from there, in the same folder from the same sidecar ...
    state = run(state, 7, Change("l2", 0.1), Change("melt", 3))
    second = export(state, Shown("strip"), tmp_path / "second.png")
    assert second.sidecar == first.sidecar
    found = compare(second.path)
    assert found.identical
    assert [change[1] for change in read_recipe(second.path).data["log"]] == ["l2", "melt"]
    # ... in another one from a new sidecar.
    third = export(state, Shown("strip"), tmp_path / "else" / "third.png")
    assert third.sidecar is not None and third.sidecar.parent == third.path.parent
    assert compare(third.path).identical

    second.sidecar.unlink()
    with pytest.raises(StudioError, match="is missing"):
        compare(second.path)
    second.sidecar.write_bytes(third.sidecar.read_bytes())
    with pytest.raises(StudioError, match="not the session file that was written"):
        compare(second.path)


def test_a_sidecar_goes_on_in_its_own_precision_until_the_log_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exporting, "LIMIT", 4000)
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.KEPT)
    network = open_network("lenet")
    device = Device("cpu", "bfloat16", 1, tried=True)
    spec = SessionSpec(network, network.default_neurons(4), seed=7, device=device)
    state = long_drag(open_session(spec))
    first = export(state, Shown("raw"), tmp_path / "first.png")
    assert first.sidecar is not None
    state = run(state, 7, Change("neurons", ["fc2:0"]))
    monkeypatch.setattr(tuning, "compare", lambda *_: tuning.Verdict.CHANGED)
    state = run(state, 7, Change("neurons", ["fc1:0"]))
    second = export(state, Shown("raw"), tmp_path / "second.png")
    assert second.sidecar == first.sidecar
    logged = [change[1] for change in read_recipe(second.path).data["log"]]
    assert logged == ["neurons", "neurons", "plan"]
    monkeypatch.setattr(tuning, "compare", lambda *_: pytest.fail("tried"))
    found = compare(second.path)
    assert found.identical and not found.differences


def test_a_sidecar_goes_on_with_its_own_threads_until_the_log_changes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(exporting, "LIMIT", 4000)
    state = long_drag(opened())
    assert export(state, Shown("raw"), tmp_path / "first.png").sidecar is not None
    start = state.step
    state = run(run(state, 3), 3, Change("plan", Plan(threads=2)))
    second = export(state, Shown("raw"), tmp_path / "second.png")
    used: dict[int, int] = {}

    def noted(state: SessionState, *rest: Any) -> Any:
        used[state.step] = state.device.threads
        return advance(state, *rest)

    monkeypatch.setattr("ldam_studio.export.rerun.advance", noted)
    assert compare(second.path).identical
    assert [used[start + step] for step in range(6)] == [1, 1, 1, 2, 2, 2]
    torch.set_num_threads(1)


def test_an_hour_of_dragging_stays_below_the_limit(tmp_path: Path):
    state = run(opened(), 1)
    from ldam_studio.engine.state import LogEntry

    state.log += [LogEntry(1, "temperature", 0.1 + 0.2 * i) for i in range(3600 * 10)]
    exported = export(state, Shown("raw"), tmp_path / "a.png")
    assert exported.sidecar is not None
    assert exported.path.stat().st_size + exported.sidecar.stat().st_size < 500_000
    assert compare(exported.path).identical


def test_a_stored_session_goes_on_and_still_replays_from_the_start(tmp_path: Path):
    state = run(opened(), 10, Change("temperature", 0.2))
    (tmp_path / "last.safetensors").write_bytes(session_bytes(state, history=True))
    again = read_session(tmp_path / "last.safetensors")
    state, again = run(state, 5, Change("l2", 0.1)), run(again, 5, Change("l2", 0.1))
    assert same(state, again)
    assert again.log == state.log
    exported = export(again, Shown("raw"), tmp_path / "a.png")
    assert exported.sidecar is None
    assert compare(exported.path).identical


def test_weights_that_are_given_are_of_the_network_that_the_recipe_began_with(tmp_path: Path):
    places = [tmp_path / "first.safetensors", tmp_path / "second.safetensors"]
    for place, name in zip(places, ("lenet", "lenet-averaged"), strict=True):
        write_weights(place, open_network(name).module.state_dict(), {})
    first, second = (open_network("lenet", place) for place in places)
    state = open_session(SessionSpec(first, first.default_neurons(2)))
    state = run(state, 3)
    state = run(state, 3, Change("network", second))
    state = run(state, 3, Change("network", first))
    export(state, Shown("raw"), tmp_path / "a.png")
    (tmp_path / "elsewhere").mkdir()
    moved = places[0].rename(tmp_path / "elsewhere" / "moved.safetensors")
    found = compare(tmp_path / "a.png", Nearby(tmp_path, [moved]))
    assert found is not None and found.identical
    with pytest.raises(StudioError, match=r"other weights than those that were used"):
        compare(tmp_path / "a.png", Nearby(tmp_path, [places[1]]))


def test_a_picture_opens_at_once_with_the_settings_of_its_export(tmp_path: Path):
    state = run(opened(), 3, Change("temperature", 0.7), Change("neurons", (Neuron("fc2", 8),)))
    export(state, Shown("raw"), tmp_path / "a.png")
    spec = spec_at_export(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert spec.settings.temperature == 0.7
    assert spec.neurons == (Neuron("fc2", 8),) * 4
    assert spec.network.sha256 == state.lane.network.sha256


def test_replaying_can_be_stopped(tmp_path: Path):
    export(run(opened(), 20), Shown("raw"), tmp_path / "a.png")
    seen = []

    def stop_at_five(done: int, total: int) -> bool:
        seen.append((done, total))
        return done < 5

    assert compare(tmp_path / "a.png", on_step=stop_at_five) is None
    assert seen == [(i, 20) for i in range(1, 6)]


def test_elsewhere_it_names_what_differs_and_correlates(tmp_path: Path):
    state = run(opened(), 40)
    picture = picture_of(state, Shown("raw"))
    altered = picture.copy()
    altered[:3] = 127
    written = recipe.Recipe.of(state, Shown("raw"), altered)
    data = dict(written.data)
    data["machine"] = data["machine"] | {"torch": "2.9.0", "threads": 8}
    data["sha256"] = recipe._hash({k: v for k, v in data.items() if k != "sha256"})
    (tmp_path / "a.png").write_bytes(png.encode(altered, recipe.Recipe(data)))
    found = compare(tmp_path / "a.png")
    assert found is not None and not found.identical
    assert 0.5 < found.correlation < 1
    assert found.differences == (
        "threads 8 there, 1 here",
        f"torch 2.9.0 there, {torch.__version__} here",
    )


def test_a_recorded_device_that_is_not_here_is_replaced(tmp_path: Path):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    state = run(opened(), 5)
    text = recipe.Recipe.of(state, Shown("raw"), picture_of(state, Shown("raw"))).text
    data = json.loads(text.replace('"device":"cpu"', '"device":"cuda"'))
    data["sha256"] = recipe._hash({k: v for k, v in data.items() if k != "sha256"})
    picture = picture_of(state, Shown("raw"))
    (tmp_path / "a.png").write_bytes(png.encode(picture, recipe.Recipe(data)))
    found = compare(tmp_path / "a.png")
    assert found is not None
    assert found.differences == ("device cuda there, cpu here",)


@pytest.fixture
def vggs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """Give two VGGs of few channels, with all their layers: replaying does not care how wide."""
    monkeypatch.setattr(vgg, "BLOCKS", ((4, 4), (4,), (8,), (8,)))
    made = []
    for seed in (1, 2):
        path = tmp_path / f"vgg-{seed}.safetensors"
        torch.manual_seed(seed)
        write_weights(path, vgg.Vgg().state_dict(), {})
        made.append(open_network("vgg", path))
    return made


def test_cycles_and_curves_that_were_stopped_and_taken_over(
    tmp_path: Path, discriminator_file: Path
):
    cycles = {
        "schedule_shape": "cycles",
        "schedule": 5,
        "schedule_course": "cosine",
        "cycle_growth": 1.5,
        "cycle_sampled": 0.4,
        "step_size_start": 0.4,
        "temperature_start": 1.0,
        "discriminator_weight_start": 0,
        "discriminator_weight": (0.1, 0.2, 0.0, 0.4),
        "burn_in": 3,
    }
    state = run(opened(discriminator_file, **cycles), 9)
    state = run(state, 3, Change("hold_schedule", True))
    state = run(state, 8, Change("hold_schedule", False))
    state = run(state, 3, Change("step_size", 0.1), Change("leave_schedule", "temperature"))
    state = run(state, 3, Change("hold_schedule", True))
    state = run(state, 9, Change("run_schedule", "step_size"), Change("average_cycles", "all"))
    (tmp_path / "last.safetensors").write_bytes(session_bytes(state, history=True))
    resumed = read_session(tmp_path / "last.safetensors")
    assert resumed.lane.clock == state.lane.clock
    for session in (state, resumed):
        again = run(session, 3, Change("temperature_curve", "0:1, 9:.01"))
        again = run(again, 9, Change("schedule_shape", "curves"), Change("run_schedule"))
        again = run(again, 4, Change("step_size_curve", "2:.1, 4:.2"), Change("melt", 2))
        again = run(again, 3, Change("temperature", (0.1, 0.2, 0.3, 0.4)), Change("restart"))
        again = run(again, 6, Change("discriminator_weight_curve", "0:0, 5:1"))
        if session is state:
            whole = again
    assert same(whole, again)
    export(whole, Shown("averages"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    rerun_of = rerun(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert rerun_of is not None and same(whole, rerun_of) and rerun_of.log == whole.log


def test_schedules_sizes_of_views_and_two_lanes(tmp_path: Path, vggs: list[Network]):
    narrow, other = vggs
    settings = Settings.of(
        schedule=10,
        step_size_start=0.3,
        temperature_start=0.05,
        resolution=64,
        resolution_start=32,
        view_size=0.5,
        jitter=2,
        clamp=True,
        threshold=0.0,
    )
    state = open_session(SessionSpec(narrow, narrow.default_neurons(2), settings, seed=3))
    state = run(state, 8)
    state = run(state, 3, Change("step_size", 0.05), Change("temperature", 0.02))
    state = run(state, 2, Change("run_schedule", "temperature"))
    state = run(state, 4, Change("run_schedule"))
    state = run(state, 4, Change("restart"))
    state = run(state, 4, Change("temperature", 0.02), Change("temperature", 0.03))
    state = run(state, 7, Change("neurons", (Neuron("relu3_1", 5, (4, 1)), Neuron("fc", 2))[:1]))
    state = run(state, 4, Change("neurons", (Neuron("fc", 4),)), Change("resolution", 48))
    state = run(state, 3, Change("compare", LaneSpec(other, restart=False)))
    state = run(state, 4, Change("resolution_start", 40, 1), Change("coarse_share", 0.9, 1))
    assert [lane.chains.x.shape[-1] for lane in state.lanes] == [48, 48]
    state = run(state, 3, Change("neurons", (Neuron("fc", 6),)))
    assert [lane.chains.x.shape[-1] for lane in state.lanes] == [32, 40]
    state = run(state, 3, Change("chains", 4), Change("melt", 2))
    state = run(state, 4, Change("keep", (0, 1, 3)))
    export(state, Shown("averages"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
    again = rerun(read_recipe(tmp_path / "a.png"), Nearby(tmp_path))
    assert again is not None and same(state, again) and again.log == state.log
    assert torch.equal(again.lanes[1].chains.x, state.lanes[1].chains.x)


def test_a_session_whose_plan_switched_midway_replays_to_the_same_pixels(tmp_path: Path):
    network = open_network("lenet")
    device = replace(Device(), tried=True)
    state = open_session(SessionSpec(network, network.default_neurons(3), seed=7, device=device))
    plans = [
        Plan(layout="channels_last", first_layers="onednn"),
        Plan("bfloat16", layout="channels_last"),
        Plan("bfloat16", layout="contiguous", folded=False),
        Plan(layout="contiguous"),
        Plan("bfloat16"),
    ]
    pictures = []
    for plan in plans:
        state = run(state, 6, Change("plan", plan))
        pictures.append(export(state, Shown("raw"), tmp_path / f"{len(pictures)}.png").path)
    for number, path in enumerate(pictures, 1):
        logged = read_recipe(path).data["log"]
        assert [change[2]["layout"] for change in logged] == [p.layout for p in plans[:number]]
        found = compare(path)
        assert found is not None and found.identical and not found.differences
    assert compare(pictures[1]).picture.tobytes() != compare(pictures[0]).picture.tobytes()


def test_a_recipe_without_a_plan_runs_as_in_0_1_0(tmp_path: Path):
    state = run(opened(), 5)
    path = export(state, Shown("raw"), tmp_path / "new.png").path
    found, picture = read(path)
    for machine in (found.data["machine"], found.data["session"]["machine"]):
        for name in ("layout", "first_layers", "folded", "asked"):
            del machine[name]
    del found.data["end"]["machine"]["layout"]
    old = recipe.Recipe(found.data)
    again = rerun(old, Nearby(tmp_path))
    assert again is not None and again.device.plan == PLAIN
    assert (picture_of(again, found.shown) == picture).all()
    assert not differences(old, again)


FOUR = Change("neurons", (Neuron("fc3", 4),))
CYCLES = {"schedule_shape": "cycles", "schedule": 20, "temperature_start": 2.0}
CURVES = {"schedule_shape": "curves", "temperature_curve": "0:2, 10:0.1"}


@pytest.mark.parametrize(
    ("settings", "before", "name", "values"),
    [
        (CYCLES, [], "schedule", (0, 30)),
        (CYCLES, [], "temperature_start", (0, 4.0)),
        (CYCLES, [Change("leave_schedule", "temperature")], "temperature_start", (0, 4.0, 5.0)),
        (CURVES, [], "temperature_curve", ("", "0:1, 40:0.01")),
        ({"mode": "exact"}, [FOUR, Change("tempering", 2)], "temperature", (0.0, 0.3)),
        ({"mode": "exact"}, [FOUR, Change("tempering", 4)], "tempering", (0, 5)),
    ],
    ids=str,
)
def test_a_setting_that_is_dragged_over_0_while_paused(
    tmp_path: Path,
    settings: dict[str, Any],
    before: list[Change],
    name: str,
    values: tuple[Any, ...],
):
    state = run(opened(**settings), 7, *before)
    for value in values:
        state, info = advance(state, [Change(name, value)], 0)
        assert not info.refused
    state = run(state, 15)
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical


def test_a_setting_that_is_dragged_while_paused_is_logged_once():
    state = run(opened(), 3)
    for value in (0.2, 0.3, 0.4):
        state, _ = advance(state, [Change("temperature", value)], 0)
    assert [entry.value for entry in state.log] == [0.4]


def test_a_network_that_is_opened_once_more(tmp_path: Path):
    state = run(opened(schedule=40, temperature_start=1.0), 9)
    state = run(state, 12, Change("network", state.lane.network))
    export(state, Shown("strip"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
