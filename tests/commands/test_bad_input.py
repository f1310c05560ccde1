"""Whatever is wrong is said in one sentence, exit code 2, and nothing is written."""

from __future__ import annotations

import errno
import pickle
from io import BytesIO
from pathlib import Path

import pytest
import torch

from ldam_studio import files
from ldam_studio.assets import asset
from ldam_studio.cli import main
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.sampler.settings import SETTINGS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run, and return the one sentence that was said."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("ldam-studio: ")
    assert captured.err.count("\n") == 1, captured.err
    assert not Path("out").exists() or list(Path("out").iterdir()) == []
    return captured.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--network alexnet", "no network 'alexnet'"),
        ("--step-size 5", "the largest that is stable with L2 weight 0.5 is 3.9"),
        ("--step-size-curve 0:1,40:20", "Step size curve must lie between 1e-06 and 10, not 20 at"),
        ("--temperature-curve 0:nan", "Temperature curve must be points such as"),
        ("--temperature-curve 9:1,4:2", "needs steps that rise from point to point"),
        ("--discriminator-weight-curve 0:2", "must lie between 0 and 1, not 2 at step 0"),
        ("--resolution-curve 0:4096", "must lie between 0 and 1,024"),
        ("--step-size-start 1e-9", "must be 0, or lie between 1e-06 and 10, not 1e-09"),
        ("--discriminator-weight-start 2", 'must lie between 0 and 1 or "auto", not 2'),
        ("--schedule-shape zigzag", "Shape must be one of once, cycles, curves, not 'zigzag'"),
        ("--cycle-growth 9", "Longer cycles must lie between 1 and 4, not 9"),
        (
            "--schedule-shape curves --step-size-curve 0:1,9:5",
            "A step size of 5 is too large: the largest that is stable",
        ),
        ("--compare-set l2=90", "the largest that is stable with L2 weight 90 is 0.022"),
        ("--neuron fc9:0", "no layer 'fc9'"),
        ("--neuron fc3:10", "neurons 0 to 9"),
        ("--neuron fc3:8-10", "neurons 0 to 9"),
        ("--neuron fc3", "not a neuron"),
        ("--neuron fc3:-1", "neither a neuron"),
        ("--neuron fc3:9-0", "is reversed"),
        ("--neuron fc3:1 --neuron fc2:1", "one layer"),
        ("--device tpu", "The device must be one of"),
        ("--precision float8", "The precision must be one of"),
        ("--threads many", "--threads must be a whole number"),
        ("--threads 0", "between 1 and 1024"),
        ("--steps 0", "--steps must lie between"),
        ("--steps 1.5", "whole number"),
        ("--steps", "expected one argument"),
        ("--seed -1", "--seed must lie between"),
        ("--seed x", "whole number"),
        ("--chains 0", "--chains must lie between"),
        ("--chains 5000", "--chains must lie between"),
        ("--zoom 0", "--zoom must lie between"),
        ("--display 3d", "display must be one of"),
        ("--thin 600", "the first sample comes with step 600"),
        ("--learn-every -3", "--learn-every must lie between"),
        ("--no-such-flag", "unrecognized arguments"),
        ("--minimum -1", "belong together"),
        ("--show-channels 0,a", "numbers with commas"),
        ("--show-channels 1", "channels 0 to 0, not 1"),
        ("--preset fast", "no preset 'fast'; there are paper, clean, explore"),
        ("--weights nowhere.safetensors", "no file"),
        (f"--weights {__file__}", "is not a weights file"),
        ("--temperature 1e8", "between 0 and 1,000, not 100,000,000"),
        ("--discriminator 0.5 --discriminator-weights nowhere.safetensors", "no file"),
    ],
)
def test_render(capsys: pytest.CaptureFixture[str], words: str, says: str):
    assert says in refused(capsys, "render", *words.split())


def test_every_setting_that_is_no_number_or_out_of_range(capsys: pytest.CaptureFixture[str]):
    for name, setting in SETTINGS.items():
        if not setting.of_chains:
            continue
        flag = f"--{name.replace('_', '-')}"
        if setting.scale == "flag":
            assert "ignored explicit argument" in refused(capsys, "render", f"{flag}=maybe")
            continue
        bad = ["", "abc"]
        if setting.scale != "choice":
            bad += ["nan", "inf", "-inf", f"{setting.minimum - 1:.12g}"]
            bad += [f"{setting.maximum + 1:.12g}"]
        if setting.scale == "count":
            bad.append("1.5")
        if setting.scale == "curve":  # without points there is none, which is allowed
            bad = [*bad[1:], *(f"0:{value}" for value in bad)]
        for value in bad:
            said = refused(capsys, "render", f"{flag}={value}")
            assert setting.label in said


@pytest.fixture
def shipped() -> bytes:
    return asset("models", "lenet.safetensors").read_bytes()


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def test_weights_of_another_architecture(capsys: pytest.CaptureFixture[str]):
    torch.save(DigitDiscriminator().state_dict(), "other.pt")
    said = refused(capsys, "render", "--weights", "other.pt")
    assert "another architecture" in said


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pt"])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.5, 0.999])
def test_weights_cut_short(
    capsys: pytest.CaptureFixture[str], shipped: bytes, name: str, share: float
):
    if name.endswith(".pt"):
        buffer = BytesIO()
        torch.save({"conv1.weight": torch.zeros(1000)}, buffer)
        shipped = buffer.getvalue()
    Path(name).write_bytes(shipped[: int(len(shipped) * share)])
    said = refused(capsys, "render", "--weights", name)
    assert "is empty" in said or "damaged" in said


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickle_with_code_is_not_run(capsys: pytest.CaptureFixture[str], wrapped: bool):
    if wrapped:
        torch.save({"conv1.weight": Bomb()}, "bomb.pt")
    else:
        Path("bomb.pt").write_bytes(pickle.dumps(Bomb()))
    said = refused(capsys, "info", "--network", "lenet", "--weights", "bomb.pt")
    assert "can run code" in said
    assert not Path("exploded").exists()


def test_info(capsys: pytest.CaptureFixture[str]):
    assert "no network" in refused(capsys, "info", "--network", "resnet")
    assert "--network" in refused(capsys, "info", "--weights", "x.safetensors")


@pytest.mark.parametrize("folder", ["file/out", "/proc/ldam-studio-out"])
def test_a_folder_that_cannot_be_written_to(capsys: pytest.CaptureFixture[str], folder: str):
    Path("file").write_text("in the way")
    if folder.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    said = refused(capsys, "render", "--steps", "3", "--out", folder)
    assert "cannot be written to" in said
    assert [path.name for path in Path().iterdir()] == ["file"]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_full_disk(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fails_at: int
):
    opened = []

    class FullDisk(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_until_full(path: Path, mode: str):
        opened.append(path)
        return FullDisk() if len(opened) == fails_at else path.open(mode)

    monkeypatch.setattr(files, "open", open_until_full, raising=False)
    said = refused(capsys, "render", "--steps", "3", "--arrays")
    assert "No space left on device" in said
    assert len(opened) == fails_at


def test_replay(capsys: pytest.CaptureFixture[str]):
    assert "no file" in refused(capsys, "replay", "none.png")
    Path("text.png").write_text("text")
    assert "not a PNG" in refused(capsys, "replay", "text.png")
    assert "required: picture" in refused(capsys, "replay")
    assert "runs one picture, and 3 were given" in refused(capsys, "replay", *"abc")
    assert "is a folder; give one of the pictures in it" in refused(capsys, "replay", ".")


def test_data_that_is_missing_or_damaged(capsys: pytest.CaptureFixture[str]):
    learning = ["render", "--steps", "3", "--discriminator", "0.5", "--learn-every", "1"]
    said = refused(capsys, *learning, "--data", "nowhere")
    assert "MNIST was not found" in said
    Path("damaged").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        Path(f"damaged/{name}-ubyte.gz").write_bytes(b"no gzip")
    assert "damaged" in refused(capsys, *learning, "--data", "damaged")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sing"], "invalid choice: 'sing'"),
        (["train"], "required: COMMAND"),
        (["train", "dragons"], "invalid choice"),
        (["paper", "fig2"], "invalid choice"),
    ],
)
def test_commands(capsys: pytest.CaptureFixture[str], words: list[str], says: str):
    assert says in refused(capsys, *words)
