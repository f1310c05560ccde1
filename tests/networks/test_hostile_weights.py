"""Files of weights that mean harm, or are damaged: nothing in them is imported or called."""

from __future__ import annotations

import argparse
import collections
import copyreg
import io
import json
import os
import pickle
import random
import resource
import struct
import sys
import time
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from ldam_studio.errors import StudioError
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.reading import formats, pickles, zips
from ldam_studio.networks.weights.reading.content import entries
from ldam_studio.networks.weights.weights import read_saved, unpacked
from saved_networks import written

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
WATCHED = ("import", "exec", "compile", "open", "pickle.find_class", "ctypes", "socket")
WATCHED += ("os.", "subprocess", "shutil", "code.__new__", "marshal", "function.__new__")
SECONDS, BYTES = 20.0, 400_000_000


class Guard:
    """Records what Python itself tells of imports, calls of code, files and processes."""

    def __init__(self):
        self.seen, self.on = [], False
        sys.addaudithook(self._told)

    def _told(self, event, _arguments):
        if self.on and event.startswith(WATCHED):
            self.seen.append(event)


GUARD = Guard()
FIRED = []


def fire(*args, **names):
    FIRED.append((args, names))


class Trap:
    """Everything by which an unpickler might run it tells."""

    def __new__(cls, *args, **names):
        fire("new")
        return super().__new__(cls)

    def __setstate__(self, state):
        fire("setstate")

    def __call__(self, *args):
        fire("call")

    def append(self, item):
        fire("append")

    extend = __setitem__ = __hash__ = __reduce__ = __eq__ = append


@pytest.fixture(scope="module", autouse=True)
def warm():
    """Read one good file of each kind, so that nothing is imported for the first time."""
    for data, whole in (*originals(), (pickle.dumps({"a": np.ones(2)}, 0), plain)):
        unpacked(Path("w.pt"), whole(data))
    with pytest.raises(StudioError):
        unpacked(Path("w.pt"), b'{"weight_map": {"a": "../b"}}')


@pytest.fixture(autouse=True)
def trapdoor(monkeypatch):
    module = types.ModuleType("trapdoor")
    module.fire, module.Trap = fire, Trap
    module.__getattr__ = lambda name: fire(name)
    monkeypatch.setitem(sys.modules, "trapdoor", module)
    for code in (7, 300, 70_000):
        copyreg.add_extension("trapdoor", f"fire{code}", code)
    FIRED.clear()
    yield
    for code in (7, 300, 70_000):
        copyreg.remove_extension("trapdoor", f"fire{code}", code)


def attempt(data):
    """Read a file's bytes under guard; return its tensors, or the sentence that refuses it."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    GUARD.seen, GUARD.on = [], True
    try:
        found = unpacked(Path("w.pt"), data)[0]
        for _, value in entries(found):
            if value.layout == torch.strided and not value.is_meta:
                value.flatten()[-1:].clone()  # reads to the end of it
    except StudioError as error:
        found = str(error)
        assert found.isprintable() and len(found) < 1200 and found.endswith(".")
    finally:
        GUARD.on = False
    assert (FIRED, GUARD.seen) == ([], [])
    assert time.monotonic() - started < SECONDS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (peak - before) * 1024 < BYTES
    return found


def plain(pickled):
    return pickled


def legacy(pickled):
    return MAGIC + pickled + pickle.dumps([], 2)


def archive(pickled, members=(), compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        made.writestr("w/data.pkl", pickled)
        for name, data in members:
            made.writestr(f"w/{name}", data)
    return file.getvalue()


WRAPS = (plain, legacy, archive)


def text(word):
    return b"X" + struct.pack("<I", len(word)) + word.encode()


G, S = b"ctrapdoor\n%s\n", text("trapdoor")
CALLS = {
    "reduce": G % b"fire" + b"(K\x01tR.",
    "reduce of a class": G % b"Trap" + b")R.",
    "stack global": S + text("fire") + b"\x93)R.",
    "instance": b"(K\x01itrapdoor\nfire\n.",
    "object": b"(" + G % b"Trap" + b"K\x01o.",
    "new object": G % b"Trap" + b")\x81.",
    "new object with names": G % b"Trap" + b")}\x92.",
    "state": G % b"Trap" + b")\x81}K\x01K\x02sb.",
    "state of two": G % b"Trap" + b")\x81}}\x86b.",
    "appended": G % b"Trap" + b")\x81K\x01a(K\x02K\x03e.",
    "entries": G % b"Trap" + b")\x81K\x01K\x02s(K\x02K\x03u.",
    "set of traps": b"\x8f(" + G % b"Trap" + b")\x81\x90.",
    "key of a dictionary": b"}" + G % b"Trap" + b")\x81K\x01s.",
    "attribute that imports": G % b"anything" + b".",
    "extension 1": b"\x82\x07)R.",
    "extension 2": b"\x83\x2c\x01)R.",
    "extension 4": b"\x84\x70\x11\x01\x00)R.",
    "persistent text": b"Ptrapdoor\n.",
    "persistent call": G % b"fire" + b"Q.",
    "persistent storage of a trap": b"(" + text("storage") + G % b"Trap" + b"X\1\0\0\0aK\1K\1tQ.",
    "eval": b"cbuiltins\neval\n(" + text("__import__('trapdoor').fire()") + b"tR.",
    "exec": b"c__builtin__\nexec\n(" + text("import trapdoor; trapdoor.fire()") + b"tR.",
    "getattr": b"cbuiltins\ngetattr\n(" + G % b"Trap" + text("append") + b"tR(K\1tR.",
    "system": b"cposix\nsystem\n(" + text("touch exploded") + b"tR.",
    "map": b"cbuiltins\nlist\n(cbuiltins\nmap\n(" + G % b"fire" + b"]K\1atRtR.",
    "default factory": b"ccollections\ndefaultdict\n(" + G % b"fire" + b"tRK\1K\2s.",
    "partial": b"cfunctools\npartial\n(" + G % b"fire" + b"tR)R.",
    "function of a subclass": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(" + G % b"fire" + G % b"Trap" + b")}tR."
    ),
    "hooks of a parameter": (
        b"ctorch._utils\n_rebuild_parameter\n(" + G % b"Trap" + b")\x81\x89" + G % b"fire" + b"tR."
    ),
    "codec": b"c_codecs\nencode\n(" + text("abc") + text("rot13") + b"tR.",
    "class of arrays": b"cnumpy.core.multiarray\n_reconstruct\n(" + G % b"Trap" + b"K\0tR.",
    "type of numbers": (
        b"cnumpy.core.multiarray\nscalar\n(" + G % b"Trap" + b")\x81" + text("abcd") + b"tR."
    ),
    "torch's own loader": b"ctorch\nload\n(" + text("/etc/passwd") + b"tR.",
    "another import": b"cantigravity\nfly\n)R.",
    "hub": b"ctorch.hub\nload\n(" + text("x/y") + text("z") + b"tR.",
}


@pytest.mark.parametrize("name", CALLS)
def test_nothing_that_a_pickle_names_is_imported_or_called(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in (b"", *(bytes((0x80, number)) for number in range(6))):
        for wrap in WRAPS:
            found = attempt(wrap(protocol + CALLS[name]))
            assert isinstance(found, str) or not found
    assert not Path("exploded").exists() and not os.listdir()


@pytest.mark.parametrize("protocol", range(6))
def test_a_tensor_beside_a_trap_is_read_and_the_trap_is_not(protocol):
    class Armed:
        def __reduce__(self):
            return fire, (1,)

    file = io.BytesIO()
    weights = {"a": torch.arange(3.0), "trap": Armed(), "args": argparse.Namespace(trap=Armed())}
    torch.save(weights, file, pickle_protocol=protocol or 2)
    assert attempt(file.getvalue())["a"].tolist() == [0, 1, 2]
    plain_file = pickle.dumps({"a": np.arange(3.0), "trap": Armed()}, protocol)
    assert attempt(plain_file)["a"].tolist() == [0, 1, 2]


# -- tensors that are not where they say ----------------------------------------------------------


def tensor_of(offset, size, stride, stored=4, count=4):
    """Return an archive with one tensor in a storage of `stored` numbers."""

    class Storage:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (
                Reference(),
                offset,
                size,
                stride,
                False,
                collections.OrderedDict(),
            )

    class Reference:
        pass

    file = io.BytesIO()
    pickler = pickle.Pickler(file, 2)
    pickler.persistent_id = lambda what: (
        ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(what, Reference) else None
    )
    pickler.dump({"a": Storage()})
    return archive(file.getvalue(), [("data/0", b"\0" * 4 * stored)])


def test_a_tensor_inside_its_storage_is_read():
    assert attempt(tensor_of(1, (3,), (1,)))["a"].shape == (3,)
    assert attempt(tensor_of(0, (1000,), (0,)))["a"].shape == (1000,)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        *((1, (4,), (1,)), (0, (5,), (1,)), (0, (2, 3), (2, 1)), (-1, (2,), (1,))),
        *((0, (2,), (-1,)), (0, (-2,), (1,)), (2**62, (1,), (1,)), (0, (2,), (2**62,))),
        *((0, (2**40,), (0,)), (0, (2**40, 0, 2**40), (1, 1, 1)), (0, (2,) * 40, (0,) * 40)),
        *((0, (2,), (1, 1)), (0, 3, 1), ("x", (1,), (1,)), (0, (True,), (1,)), (0, (1.0,), (1,))),
        *((2**200, (1,), (1,)), (0, None, None), (0, ("1",), (1,))),
    ],
)
def test_a_tensor_outside_its_storage_is_damage(offset, size, stride):
    assert "is damaged" in attempt(tensor_of(offset, size, stride))


@pytest.mark.parametrize(("stored", "count"), [(4, 5), (0, 4), (4, 2**50), (4, -1)])
def test_a_storage_that_is_shorter_than_it_says_is_damage(stored, count):
    assert "is damaged" in attempt(tensor_of(0, (1,), (1,), stored, count))


# -- bombs ----------------------------------------------------------------------------------------


def doubled(levels):
    """A tuple of two of the same tuple, again and again."""
    return b")" + b"2\x86" * levels


def dictionaries(levels):
    """A dictionary with the same dictionary twice, again and again, and a tensor in the last."""
    leaf = b"cnumpy.core.multiarray\n_reconstruct\n)R" + pickle.dumps(
        (1, (1,), np.dtype("f4"), False, b"\0\0\0\0"), 2
    ).removeprefix(b"\x80\x02").removesuffix(b".")
    body = b"}" + text("t") + leaf + b"bs"
    for at in range(levels):
        body += b"q%c0}(%sh%c%sh%cu" % (at, text("a"), at, text("b"), at)
    return body + b"."


def numbers():
    return b"]" + b"K\x01a" * 150_000 + b"."


BOMBS = {
    "memo far away": b"}r\xff\xff\xff\xff.",
    "memo of text": b"}p99999999999999999999\n.",
    "deep lists": b"]" * 100_000 + b"a" * 99_999 + b".",
    "deep tuples": b")" + b"\x85" * 100_000 + b".",
    "deep objects": b"ca\nb\n)R" + b"ca\nb\nq\x000ca\nb\n)R" * 1 + b"b" + b".",
    "a key that takes for ever to hash": b"}" + doubled(60) + b"K\1s.",
    "a set of such": b"\x8f(" + doubled(60) + b"\x90.",
    "a tuple of tuples": doubled(60) + b".",
    "dictionaries of each other": dictionaries(30),
    "objects of each other": b"ca\nb\n)R"
    + b"2\x86ca\nb\nq\x000ca\nb\n)Rq\x010h\x01h\x01\x86b"
    + b".",
    "a list in itself": b"]2a.",
    "a dictionary in itself": b"}2" + text("a") + b"2sa.",
    "many instructions": b"(" * 1 + b"N" * 300_000 + b"t.",
    "long bytes": b"\x8e" + b"\xff" * 7 + b"\x7f" + b"a.",
    "long text": b"\x8d" + b"\xff" * 7 + b"\x7f" + b"a.",
    "long array": b"\x96" + b"\xff" * 7 + b"\x7f" + b"a.",
    "a long frame": b"\x95" + b"\xff" * 8 + b".",
    "a long number": b"\x8b\xff\xff\xff\x7f.",
    "a number in decimals": b"I" + b"9" * 1_000_000 + b"\n.",
    "marks": b"(" * 150_000 + b".",
    "an empty stack": b"0.",
    "nothing to build": b"b.",
    "no end": b"}",
    "an unknown instruction": b"\xff.",
    "a later protocol": b"\x80\xff}.",
    "numbers": numbers(),
    "a buffer of elsewhere": b"\x97.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_and_time_stay_bounded(name, monkeypatch):
    monkeypatch.setattr(pickles, "MOST_INSTRUCTIONS", 200_000)
    for wrap in (plain, archive):
        found = attempt(wrap(b"\x80\x04" + BOMBS[name]))
        assert isinstance(found, str) or not found


def storages(numel, key="0"):
    return (
        b"\x80\x02}" + text("a") + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage")
        + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
        + b"\x8a\x08" + struct.pack("<q", numel) + b"tQK\0K\1\x85K\1\x85\x89)tRs."
    )  # fmt: skip


def test_archives_and_headers_that_promise_much_are_refused(monkeypatch):
    monkeypatch.setattr(zips, "SMALL", 1_000_000)
    monkeypatch.setattr(formats, "MOST_TENSORS", 1000)
    huge = archive(storages(2**20), [("data/0", b"\0" * 4 * 2**20)], zipfile.ZIP_DEFLATED)
    assert len(huge) < 20_000
    assert "would unpack to much more than its own size" in attempt(huge)
    # Also where each member is small.
    many = archive(b"}.", [(f"data/{n}", b"\0" * 200_000) for n in range(7)], 8)
    assert "would unpack" in attempt(many)
    assert "is damaged" in attempt(legacy(storages(2**60)))
    assert "is damaged" in attempt(legacy(storages(2**20)))
    assert "would unpack" in attempt(archive(b"0}" * 2**20, (), 8))
    names = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(1001)}
    header = json.dumps(names).encode()
    found = attempt(struct.pack("<Q", len(header)) + header)
    assert "holds more tensors than a network has" in found
    header = b'{"a":' * 200_000 + b"1" + b"}" * 200_000
    assert isinstance(attempt(struct.pack("<Q", len(header)) + header), str)
    assert isinstance(attempt(b'{"weight_map": ' + b"[" * 200_000), str)


def test_an_array_that_says_more_than_it_has_is_damage():
    good = io.BytesIO()
    np.savez(good, a=np.ones(3, np.float32))
    assert attempt(good.getvalue())["a"].tolist() == [1, 1, 1]
    for shape in ("(9999999999,)", "(-3,)", "(3, 1e9)", "'x'", "(" * 200):
        head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + b"\0" * 12
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("a.npy", data)
        assert isinstance(attempt(file.getvalue()), str)


# -- what is no regular file ----------------------------------------------------------------------


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path, make):
    path = tmp_path / "w.pt"
    make(path)
    with pytest.raises(StudioError, match="cannot be read"):
        read_saved(path)


# -- mutations ------------------------------------------------------------------------------------


def originals():
    """Real checkpoints, each as the bytes to change and how they become a file again."""
    state = {
        "conv.weight": torch.rand(4, 2, 3, 3),
        "conv.bias": torch.rand(4),
        "n": torch.tensor(3),
    }
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    saved = {"state_dict": state, "module": module, "args": argparse.Namespace(lr=1, w=np.ones(2))}
    for protocol in (2, 4, 5):
        file = io.BytesIO()
        torch.save(saved, file, pickle_protocol=protocol)
        with zipfile.ZipFile(file) as made:
            members = {n.split("/", 1)[1]: made.read(n) for n in made.namelist()}
        pickled = members.pop("data.pkl")
        yield pickled, lambda data, members=members: archive(data, members.items())
    yield file.getvalue(), plain
    for options in ({}, {"pickle_protocol": 4}):
        file = io.BytesIO()
        torch.save(saved, file, _use_new_zipfile_serialization=False, **options)
        yield file.getvalue(), plain
    yield pickle.dumps(saved, 2), plain
    yield save(state), plain
    file = io.BytesIO()
    np.savez(file, **{name: value.numpy() for name, value in state.items()})
    yield file.getvalue(), plain


def mutated(data, chance):
    """Return bytes with a few changes: flipped, cut, repeated, swapped, or from elsewhere."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(data) or 1)
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 8, 64)))
        kind = chance.randrange(6)
        if kind == 0 and data:
            data[at] = chance.randrange(256)
        elif kind == 1 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end] * chance.choice((1, 2, 50))
        elif kind == 4:
            data[at:end] = chance.choice(
                (b"\xff", b"\0", b"R", b"b", b"\x81", b"Q", b"0", b"(", b"2")
            )
        else:
            data[at:at] = chance.choice((CALLS["reduce"], CALLS["state"], CALLS["eval"]))[:-1]
    return bytes(data)


def test_a_thousand_damaged_checkpoints_are_one_sentence_each_or_tensors():
    chance, read, refused = random.Random(15), 0, set()
    for data, whole in originals():
        assert not isinstance(attempt(whole(data)), str)
        for _ in range(112):
            found = attempt(whole(mutated(data, chance)))
            read += not isinstance(found, str)
            if isinstance(found, str):
                refused.add(found)
    # Both happen, so that the changes are neither all fatal nor all harmless.
    assert read > 50 and len(refused) >= 4


def test_what_a_file_says_is_not_believed_by_the_network_either(tmp_path):
    path = written(tmp_path)
    chance = random.Random(3)
    sys.path.insert(0, str(tmp_path))
    try:
        import net

        file = io.BytesIO()
        torch.save({"model": net.Net().state_dict(), "net": net.Net()}, file)
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("net", None)
    with zipfile.ZipFile(file) as made:
        members = {n.split("/", 1)[1]: made.read(n) for n in made.namelist()}
    pickled = members.pop("data.pkl")
    opened = 0
    for _ in range(25):
        (tmp_path / "w.pt").write_bytes(archive(mutated(pickled, chance), members.items()))
        try:
            open_network(f"{path}:model", tmp_path / "w.pt")
            opened += 1
        except StudioError as error:
            assert str(error).isprintable()
    assert opened
