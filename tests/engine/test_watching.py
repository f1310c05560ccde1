"""Watching a folder of checkpoints: what is handed over, what is passed over, what is said."""

from __future__ import annotations

import errno
import shutil
import threading
from pathlib import Path

import pytest
import torch

from folders import at_rest
from ldam_studio.engine.watching import reader as reading
from ldam_studio.engine.watching import watcher as watching
from ldam_studio.engine.watching.opening import TRIED, open_watched
from ldam_studio.engine.watching.reader import take
from ldam_studio.engine.watching.watcher import Watcher
from ldam_studio.errors import StudioError
from ldam_studio.networks.models.lenet import LeNet5
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights import checkpoints
from ldam_studio.networks.weights.checkpoint_folder import Folder
from ldam_studio.networks.weights.checkpoints import CheckpointError
from ldam_studio.networks.weights.weights import write_weights
from ldam_studio.training import CheckpointWriter

PATIENCE = 120.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(watching, "POLL_S", 0.005)


@pytest.fixture
def made(tmp_path):
    """Write checkpoints of a LeNet whose last bias tells which one it is."""
    writer = CheckpointWriter(tmp_path / "run")
    module = LeNet5()

    def write(*steps, value=None, **about):
        for step in steps:
            torch.nn.init.constant_(module.fc3.bias, float(step) if value is None else value)
            path = writer.write(module, step=step, **about)
        return path

    write.folder = writer.folder
    return write


class Watched:
    """A watcher with a memory of what it told, to be waited for."""

    def __init__(self, network, place, **given):
        self.swaps, self.news = [], []
        self._told = threading.Condition()
        self.watcher = Watcher(
            network,
            place,
            on_news=lambda news: self._note(self.news, news),
            on_swap=lambda swap: self._note(self.swaps, swap),
            **given,
        )

    def _note(self, where, what):
        with self._told:
            where.append(what)
            self._told.notify_all()

    def until(self, condition):
        with self._told:
            met = self._told.wait_for(lambda: condition(self), PATIENCE)
        assert met, self.news[-1:]

    @property
    def steps(self):
        return [swap.checkpoint.step for swap in self.swaps]

    @property
    def bias(self):
        """The number that the last network was marked with."""
        return float(self.swaps[-1].network.module.fc3.bias[0])

    def __enter__(self):
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.watcher.close()


def test_the_newest_is_handed_over_and_then_each_that_comes(lenet, made):
    made(10, 20)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [20])
        made(30)
        watched.until(lambda w: w.steps == [20, 30])
        assert watched.bias == 30
        assert [c.step for c in watched.news[-1].checkpoints] == [10, 20, 30]
        assert watched.news[-1].shown.step == 30
        assert watched.news[-1].following
    assert torch.equal(lenet.module.fc3.bias, open_bias(lenet))


def open_bias(lenet):
    """The bias that LeNet was opened with."""
    return open_network("lenet").module.fc3.bias


def test_one_that_is_written_into_the_same_folder_anew_is_the_newest(lenet, made):
    made(10, 900)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [900])
        made(20)
        watched.until(lambda w: w.steps == [900, 20])


def test_scrubbing_stays_and_following_goes_on(lenet, made):
    made(10, 20, 30)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [30])
        watched.watcher.show(watched.news[-1].checkpoints[0])
        watched.until(lambda w: w.steps == [30, 10])
        made(40)
        watched.until(lambda w: len(w.news[-1].checkpoints) == 4)
        assert not watched.news[-1].following
        assert watched.steps == [30, 10]
        watched.watcher.follow()
        watched.until(lambda w: w.steps == [30, 10, 40])


def test_the_mean_of_the_last_ones(lenet, made):
    made(10, 20, 60)
    with Watched(lenet, made.folder, average=2) as watched:
        watched.until(lambda w: w.steps == [60])
        assert watched.bias == 40
        assert [c.step for c in watched.swaps[-1].averaged] == [20, 60]
        names = [file["weights"] for file in watched.swaps[-1].network.reference["mean_of"]]
        assert names == [str(c.path) for c in watched.swaps[-1].averaged]
        watched.watcher.set_average(3)
        watched.until(lambda w: len(w.swaps) == 2)
        assert watched.bias == 30
        watched.watcher.set_average(0)
        watched.until(lambda w: len(w.swaps) == 3)
        assert watched.bias == 60
        assert "mean_of" not in watched.swaps[-1].network.reference


def test_a_mean_of_more_than_is_kept_is_refused(lenet, tmp_path):
    with pytest.raises(StudioError, match="0 to 50 checkpoints, not 51"):
        Watched(lenet, tmp_path, average=51)


def test_what_is_no_checkpoint_is_listed_and_the_rest_is_watched(lenet, made):
    good = made(10)
    (made.folder / "cut-20.safetensors").write_bytes(good.read_bytes()[:-3])
    (made.folder / "foreign-30.pt").write_text("not weights")
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.news and len(w.news[-1].skipped) == 2)
        made(40)
        watched.until(lambda w: w.steps == [10, 40])


def test_training_that_diverged_is_shown_and_not_handed_over(lenet, made):
    made(10)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        bad = made(20, value=float("nan"))
        watched.until(lambda w: bad in w.news[-1].troubles)
        assert "training has diverged" in watched.news[-1].troubles[bad]
        assert [c.step for c in watched.news[-1].checkpoints] == [10, 20]
        assert watched.steps == [10]
        watched.watcher.show(watched.news[-1].checkpoints[1])
        made(20)  # written anew, and well
        watched.until(lambda w: w.steps == [10, 20])
        assert not watched.news[-1].troubles


def test_other_shapes_are_a_sentence_and_watching_goes_on(lenet, made):
    made(10)
    other = LeNet5()
    other.fc3 = torch.nn.Linear(84, 7)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        path = CheckpointWriter(made.folder).write(other, step=20)
        watched.until(lambda w: path in w.news[-1].troubles)
        assert "another architecture" in watched.news[-1].troubles[path]
        made(30)
        watched.until(lambda w: w.steps == [10, 30])


def test_a_mean_leaves_out_what_cannot_be_read(lenet, made):
    made(10)
    bad = made(20, value=float("nan"))
    made(30)
    with Watched(lenet, made.folder, average=5) as watched:
        watched.until(lambda w: w.swaps and bad in w.news[-1].troubles)
        assert watched.bias == 20
        assert [c.step for c in watched.swaps[-1].averaged] == [10, 30]


def test_a_folder_that_disappears_and_comes_back(lenet, made, tmp_path):
    made(10)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        made.folder.rename(tmp_path / "away")
        watched.until(lambda w: "cannot be read" in w.news[-1].notice)
        assert len(watched.news[-1].checkpoints) == 1
        (tmp_path / "away").rename(made.folder)
        watched.until(lambda w: not w.news[-1].notice)
        made(20)
        watched.until(lambda w: w.steps == [10, 20])


def test_a_chosen_file_that_is_deleted_is_a_sentence(lenet, made):
    made(10, 20)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [20])
        chosen = watched.news[-1].checkpoints[0]
        chosen.path.unlink()
        watched.watcher.show(chosen)
        # Where the folder's clock has not ticked since the last look, reading is what fails first.
        watched.until(lambda w: "no longer there" in w.news[-1].troubles.get(chosen.path, ""))
        assert watched.steps == [20]


def test_the_shown_file_may_be_deleted(lenet, made):
    made(10)
    last = made(20)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [20])
        last.unlink()
        watched.until(lambda w: len(w.news[-1].checkpoints) == 1)
        made(30)
        watched.until(lambda w: w.steps == [20, 30])


def test_a_file_replaced_while_it_is_read_is_read_again(lenet, made, monkeypatch):
    made(10)
    read = watching.CheckpointReader.read
    written = []

    def slowly(reader, checkpoint):
        if not written:
            written.append(made(10, value=77))
        return read(reader, checkpoint)

    monkeypatch.setattr(watching.CheckpointReader, "read", slowly)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.swaps)
        assert watched.bias == 77
    assert not watched.news[-1].troubles


def test_a_checkpoint_is_read_as_it_was_listed_or_not_at_all(lenet, made):
    path = made(10)
    (listed,) = at_rest(made.folder).look().checkpoints
    with open(path, "r+b") as file:
        file.seek(-1, 2)
        file.truncate()
    for kind in ("changed", "gone"):
        with pytest.raises(CheckpointError, match=str(path)) as caught:
            take(lenet, [listed])
        assert caught.value.kind == kind
        path.unlink(missing_ok=True)


def test_a_damaged_file_with_a_good_header_is_a_sentence(lenet, tmp_path):
    path = tmp_path / "a-1.pt"
    torch.save({"not": {1, 2}, "weights": [torch.ones(3)]}, path)
    path.write_bytes(path.read_bytes().replace(b"torch\nFloatStorage", b"torch\nWrongStorage"))
    (listed,) = at_rest(tmp_path).look().checkpoints
    with pytest.raises(CheckpointError, match="is damaged") as caught:
        take(lenet, [listed])
    assert caught.value.kind == "damaged"


def _deep(key):
    """Return a safetensors file with brackets within brackets at a place in its header."""
    deep = 100_000 * "[" + 100_000 * "]"
    header = f'{{"__metadata__": {{"checkpoint": "{deep}"}}}}' if key else deep
    return len(header).to_bytes(8, "little") + header.encode()


def test_brackets_within_brackets_do_not_end_the_watching(lenet, made):
    made.folder.mkdir()
    (made.folder / "deep-1.safetensors").write_bytes(_deep(key=False))
    (made.folder / "deep-2.safetensors").write_bytes(_deep(key=True))
    made(10)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10] and w.news[-1].skipped)
        assert [path.name for path in watched.news[-1].skipped] == ["deep-1.safetensors"]


@pytest.mark.parametrize("kind", ["sparse", "meta"])
def test_tensors_without_plain_numbers_are_a_sentence(lenet, made, kind):
    made(10)
    state = LeNet5().state_dict()
    bias = state["fc3.bias"]
    state["fc3.bias"] = bias.to_sparse() if kind == "sparse" else bias.to("meta")
    path = made.folder / "odd-20.pt"
    torch.save(state, path)
    assert open_watched("lenet", made.folder).weights.name == "checkpoint-00000010.safetensors"
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10] and path in w.news[-1].troubles)
        assert "'fc3.bias' are sparse or meta tensors" in watched.news[-1].troubles[path]


def test_a_network_drive_that_has_gone_away_is_a_notice(lenet, made, monkeypatch):
    made(10)
    stat, gone = Path.stat, []

    def stale(path, **given):
        if gone and str(path).startswith(str(made.folder)):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return stat(path, **given)

    monkeypatch.setattr(Path, "stat", stale)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        gone.append(True)
        watched.until(lambda w: "not connected" in w.news[-1].notice)
        gone.clear()
        made(20)
        watched.until(lambda w: w.steps == [10, 20] and not w.news[-1].notice)


def test_what_nobody_thought_of_is_told_and_tried_again(lenet, made, monkeypatch):
    made(10)
    look, failures = Folder.look, [AssertionError("of a strange kind")]

    def stumbling(folder, **given):
        if failures:
            raise failures[0]
        return look(folder, **given)

    monkeypatch.setattr(Folder, "look", stumbling)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.news and "of a strange kind" in w.news[-1].notice)
        failures.clear()
        watched.until(lambda w: w.steps == [10] and not w.news[-1].notice)
        assert len(watched.news) == 4  # the failure, what is there, that it is well, what is shown


def test_what_is_written_over_in_place_is_noticed(lenet, made, monkeypatch):
    monkeypatch.setattr(watching, "THOROUGH_S", 0.01)
    path = made(10)
    (made.folder / "other").mkdir()
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        data = CheckpointWriter(made.folder / "other").write(LeNet5(), step=20).read_bytes()
        with open(path, "r+b") as file:
            file.write(data)
            file.truncate()
        watched.until(lambda w: w.steps == [10, 20])


def test_a_single_file_is_followed_through_its_versions(lenet, tmp_path, made):
    last = tmp_path / "last.safetensors"
    with Watched(lenet, last) as watched:
        for step in (10, 20):
            shutil.copy(made(step), tmp_path / "new")
            (tmp_path / "new").replace(last)
            watched.until(lambda w, step=step: w.steps[-1:] == [step])
        assert watched.bias == 20


def test_what_a_run_notes_beside_its_weights_may_be_infinite(made, lenet):
    path = made.folder / "epoch-3.pt"
    made(1)
    torch.save({"model": LeNet5().state_dict(), "best_loss": torch.tensor(float("inf"))}, path)
    (listed,) = (c for c in at_rest(made.folder).look().checkpoints if c.path == path)
    assert not reading.has_diverged(listed)
    assert take(lenet, [listed]).weights == path


def test_what_is_asked_for_while_the_folder_is_away_is_shown_on_its_return(lenet, made, tmp_path):
    made(10, 20)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [20])
        made.folder.rename(tmp_path / "away")
        watched.until(lambda w: w.news[-1].notice)
        watched.watcher.show(watched.news[-1].checkpoints[0])
        watched.until(lambda w: not w.news[-1].following)
        (tmp_path / "away").rename(made.folder)
        watched.until(lambda w: w.steps == [20, 10])
        assert not watched.news[-1].troubles


def test_a_lack_of_memory_passes(lenet, made, monkeypatch):
    monkeypatch.setattr(watching, "AGAIN_S", 0.02)
    made(10)
    path = made(20)
    require, short = checkpoints.require_room, [path]

    def require_room(path):
        if path in short:
            raise StudioError(f"{path} needs more memory than is free.")
        require(path)

    monkeypatch.setattr(checkpoints, "require_room", require_room)
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        assert "more memory" in watched.news[-1].troubles[path]
        short.clear()
        watched.until(lambda w: w.steps == [10, 20])
        assert not watched.news[-1].troubles


def test_a_mean_is_of_one_training_alone(lenet, made):
    made(10, 20, 30)
    with Watched(lenet, made.folder, average=3) as watched:
        watched.until(lambda w: w.steps == [30])
        for step, mean in ((5, [5]), (15, [5, 15]), (25, [5, 15, 25])):
            made(step)
            watched.until(lambda w, step=step: w.steps[-1] == step)
            assert [c.step for c in watched.swaps[-1].averaged] == mean


def test_each_file_of_a_mean_is_read_once_and_one_is_held_at_a_time(lenet, made, monkeypatch):
    monkeypatch.setattr(reading, "KEPT_BYTES", 1)
    read, average = reading.read_checkpoint, reading.ParameterAverage.take
    order = []
    monkeypatch.setattr(reading, "read_checkpoint", lambda c: order.append("read") or read(c))
    monkeypatch.setattr(
        reading.ParameterAverage, "take", lambda *given: order.append("take") or average(*given)
    )
    made(10, 20, 60)
    with Watched(lenet, made.folder, average=3) as watched:
        watched.until(lambda w: w.steps == [60])
        assert watched.bias == 30
    assert order == ["read", "read", "take", "take", "read", "take"]


def test_weights_read_before_are_not_read_again_for_a_mean(lenet, made, monkeypatch):
    made(10, 20, 30)
    reader = reading.CheckpointReader(lenet)
    listed = at_rest(made.folder).look().checkpoints
    reader.network(listed)
    monkeypatch.setattr(reading, "read_checkpoint", None)
    assert float(reader.network(listed).module.fc3.bias[0]) == 20
    monkeypatch.setattr(reading, "KEPT_BYTES", 1)
    monkeypatch.setattr(reading, "read_checkpoint", checkpoints.read_checkpoint)
    reader = reading.CheckpointReader(lenet)
    reader.network(listed)
    assert len(reader._kept) == 1


def test_what_is_watched_is_opened_with_the_newest_checkpoint(made, tmp_path):
    with pytest.raises(StudioError, match="cannot be read"):
        open_watched("lenet", tmp_path / "nowhere")
    made(10, 20)
    (made.folder / "cut-90.safetensors").write_bytes(b"nothing")
    network = open_watched("lenet", made.folder)
    assert network.weights.name == "checkpoint-00000020.safetensors"
    made(*range(30, 29 + TRIED), value=float("nan"))
    assert open_watched("lenet", made.folder).weights == network.weights
    made(40, value=float("nan"))
    assert open_watched("lenet", made.folder).weights is None  # however many more there are
    with Watched(network, made.folder) as watched:
        watched.until(lambda w: w.steps == [20])
    other = tmp_path / "other"
    CheckpointWriter(other).write(torch.nn.Linear(2, 3), step=1)
    with pytest.raises(StudioError, match="another architecture"):
        open_watched("lenet", other)
    (other / "checkpoint-00000001.safetensors").unlink()
    empty = open_watched("lenet", other)
    assert empty.weights is None and empty.provenance.untrained
    assert empty.sha256 not in (network.sha256, open_network("lenet").sha256)


def test_another_networks_is_known_before_anybody_looks_at_it(lenet, made, monkeypatch):
    strange = made.folder / "other-5.safetensors"
    made(10)
    write_weights(strange, torch.nn.Linear(3, 2).state_dict(), {})
    made(20)
    read = []
    reading_it = reading.read_checkpoint
    monkeypatch.setattr(
        reading, "read_checkpoint", lambda c: (read.append(c.path), reading_it(c))[1]
    )
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps[-1:] == [20] and strange in w.news[-1].troubles)
        sentence = watched.news[-1].troubles[strange]
        assert sentence.startswith(f"{strange} is for another architecture: ")
    assert strange not in read


@pytest.mark.parametrize("size", ["-3", "1e999", "99999999999999999999"])
def test_sizes_that_no_tensor_has_are_told_and_watching_goes_on(lenet, made, size):
    good = made(10)
    header = b'{"a":{"dtype":"F32","shape":[' + size.encode() + b'],"data_offsets":[0,4]}}'
    odd = made.folder / "odd-5.safetensors"
    odd.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with Watched(lenet, made.folder) as watched:
        watched.until(lambda w: w.steps == [10])
        assert watched.news[-1].notice == ""
        assert watched.news[-1].checkpoints[-1].path == good


@pytest.mark.parametrize("numbered_first", [True, False])
def test_of_two_files_with_the_same_weights_the_numbered_one_is_shown(
    tmp_path, lenet, numbered_first
):
    def save(name, value, **more):
        module = LeNet5()
        torch.nn.init.constant_(module.fc3.bias, value)
        for p in list(module.parameters())[:-1]:
            torch.nn.init.constant_(p, 0.01)
        torch.save({"model": module.state_dict(), **more}, tmp_path / "new.tmp")
        (tmp_path / "new.tmp").rename(tmp_path / name)

    def epoch(number):
        names = [f"epoch_{number:03}.pth", "last.pth"]
        for name in names if numbered_first else reversed(names):
            save(name, float(number), optimizer={"step": torch.tensor(number)})

    epoch(7)
    epoch(8)
    with Watched(lenet, tmp_path) as watched:
        watched.until(lambda w: w.swaps and w.news and len(w.news[-1].checkpoints) == 2)
        watched.until(lambda w: w.swaps[-1].checkpoint.path.name == "epoch_008.pth")
        assert watched.bias == 8
        news = watched.news[-1]
        assert [c.path.name for c in news.checkpoints] == ["epoch_007.pth", "epoch_008.pth"]
        assert news.skipped == {tmp_path / "last.pth": "has the same weights as epoch_008.pth"}
        epoch(9)
        watched.until(lambda w: w.swaps[-1].checkpoint.path.name == "epoch_009.pth")
        watched.until(lambda w: len(w.news[-1].checkpoints) == 3)
        # A later one without a number of its own is shown.
        save("last.pth", 10.0)
        watched.until(lambda w: w.bias == 10)
        watched.until(lambda w: len(w.news[-1].checkpoints) == 4)
        assert watched.swaps[-1].checkpoint.path.name == "last.pth"
