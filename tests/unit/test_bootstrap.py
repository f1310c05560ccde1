"""What `make` does on a fresh machine, without doing it: sizes, system libraries, apt's line."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / ".ci" / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_sizes_are_asked_for_and_not_fetched(bootstrap: ModuleType, tmp_path: Path):
    (tmp_path / "a.whl").write_bytes(b"x" * 12345)
    assert bootstrap.size_of((tmp_path / "a.whl").as_uri()) == 12345
    assert bootstrap.size_of((tmp_path / "none.whl").as_uri()) is None
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            base = f"http://127.0.0.1:{server.server_port}"
            assert bootstrap.size_of(f"{base}/a.whl") == 12345
            assert bootstrap.size_of(f"{base}/none.whl") is None
        finally:
            server.shutdown()
            thread.join()


def test_the_download_is_announced(
    bootstrap: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "big.whl").write_bytes(bytes(3_000_000))
    urls = {"big": (tmp_path / "big.whl").as_uri(), "hidden": "file:///nowhere/hidden.whl"}

    def pip(command: list[str], **_options: object) -> SimpleNamespace:
        install = [
            {"metadata": {"name": name}, "download_info": {"url": url}}
            for name, url in urls.items()
        ]
        report = Path(command[command.index("--report") + 1])
        report.write_text(json.dumps({"install": install}))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", pip)
    bootstrap.announce_download(".")
    said = capsys.readouterr().out
    assert "2 packages, 3 MB to download (big 3 MB ...)" in said
    assert "the size of hidden could not be found out" in said


LDD = """
\tlibQt6Core.so.6 => /somewhere/libQt6Core.so.6 (0x1)
\tlibxcb-cursor.so.0 => not found
\tlibEGL.so.1 => not found
"""


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("works", [False, True])
def test_missing_libraries_are_named_with_the_line_that_installs_them(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root: bool,
    works: bool,
):
    ran: list[list[str]] = []

    def run(command: list[str], **_options: object) -> SimpleNamespace:
        ran.append(command)
        if command[0] == "/usr/bin/apt-get":
            return SimpleNamespace(returncode=0 if works else 100)
        installed = works and any("install" in words for words in ran)
        return SimpleNamespace(returncode=0, stdout="" if installed else LDD)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.Path, "exists", lambda _path: True)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    assert bootstrap.check_system() is (root and works)
    said = capsys.readouterr().out
    line = "apt-get install -y --no-install-recommends libegl1 libxcb-cursor0"
    assert "missing: libEGL.so.1, libxcb-cursor.so.0" in said
    assert (f"install them with: sudo {line}" in said) is not root
    assert (f"installing them: {line}" in said) is root
    assert ("that did not work" in said) is (root and not works)
    assert all(text.startswith("ldam-studio setup: ") for text in said.splitlines())


def test_a_stamp_leaves_nothing_to_do(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "check_system", lambda: True)
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "install", installed.append)
    stamp = tmp_path / ".ready"
    monkeypatch.setattr(bootstrap.sys, "argv", ["bootstrap", "--stamp", str(stamp)])
    bootstrap.main()
    bootstrap.main()
    assert installed == [""]
    assert stamp.exists()
