"""Changes of files as hypothesis draws them: of bytes, and of the values in JSON."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

from hypothesis import strategies as st

ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63 - 1, 2**63, 2**64, -(2**64), 10**400),
    *(
        0.5,
        -0.0,
        1e-320,
        1e308,
        "",
        "x",
        "\x1b[2J\n",
        "a" * 5000,
        "é" * 300,
        "/dev/zero",
        "../../x",
    ),
    *("auto", "cuda", "0", "nan", [], {}, [[]], [None], [0] * 5000, {"": {}}, {"sha256": "x"}),
]
ODD_BYTES = st.binary(min_size=1, max_size=8) | st.sampled_from(
    [b"\0" * 8, b"\xff" * 8, b"\x7f\xff\xff\xff", b"{", b"}", b'"', b"[" * 3000, b"1e999"]
)


def values(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values in JSON."""
    found = [place]
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inside in pairs:
        found += values(inside, (*place, key))
    return found


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return JSON with another value at a place."""
    if not place:
        return new
    first, *rest = place
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = put(value[first], tuple(rest), new)
    return copy


def without(value: Any, place: tuple[Any, ...]) -> Any:
    """Return JSON without the value at a place."""
    *above, last = place
    if not above:
        copy = dict(value) if isinstance(value, dict) else list(value)
        del copy[last]
        return copy
    inside = value
    for key in above:
        inside = inside[key]
    return put(value, tuple(above), without(inside, (last,)))


@st.composite
def changed_json(draw: st.DrawFn, texts: list[bytes]) -> bytes:
    """Draw one of these texts with one to three of its values changed, moved or left out."""
    value = json.loads(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 3))):
        places = values(value)
        if len(places) < 2:
            break
        place = draw(st.sampled_from(places[1:]))
        how = draw(st.sampled_from(["odd", "odd", "any", "leave", "copy"]))
        if how == "leave":
            value = without(value, place)
        elif how == "copy":
            other: Any = value
            for key in draw(st.sampled_from(places)):
                other = other[key]
            value = put(value, place, other)
        else:
            new = st.sampled_from(ODD)
            if how == "any":
                new = st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
            value = put(value, place, draw(new))
    return json.dumps(value).encode()


@st.composite
def changed_bytes(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Draw one of these files with a few of its bytes replaced, inserted or cut off."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        # Headers say more than the numbers that follow them.
        at = draw(st.integers(0, min(len(data), draw(st.sampled_from([64, 2000, len(data)])))))
        how = draw(st.sampled_from(["replace", "insert", "cut", "leave"]))
        new = draw(ODD_BYTES)
        if how == "replace":
            data[at : at + len(new)] = new
        elif how == "insert":
            data[at:at] = new
        elif how == "cut":
            del data[at:]
        else:
            del data[at : at + draw(st.integers(1, 64))]
    return bytes(data)


@st.composite
def changed_header(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Draw a safetensors file of which the JSON in the header was changed, also that inside it."""
    data = draw(st.sampled_from(files))
    length = int.from_bytes(data[:8], "little")
    header, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header.get("__metadata__", {})
    if metadata and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(metadata)))
        inner = draw(changed_json([metadata[name].encode()]))
        header["__metadata__"] = metadata | {name: inner.decode()}
        text = json.dumps(header).encode()
    else:
        text = draw(changed_json([json.dumps(header).encode()]))
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + rest


@st.composite
def changed_member(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """Draw a session file of which one member was changed; mostly its sizes and hashes fit."""
    with zipfile.ZipFile(io.BytesIO(draw(st.sampled_from(files)))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = draw(st.sampled_from(sorted(members)))
    changes = [changed_bytes([members[name]])]
    if name.endswith(".json"):
        changes.append(changed_json([members[name]]))
    elif name == "session.safetensors":
        changes.append(changed_header([members[name]]))
    members[name] = draw(st.one_of(changes))
    if name != "ldam.json" and draw(st.integers(0, 9)):
        said = json.loads(members["ldam.json"])
        digest = hashlib.sha256(members[name]).hexdigest()
        said["members"][name] = {"size": len(members[name]), "sha256": digest}
        members["ldam.json"] = json.dumps(said).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()
