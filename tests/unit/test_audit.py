"""The look for known weaknesses fails only where something can be done about one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / ".ci" / "audit.py"


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("audit", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(monkeypatch, found: object) -> None:
    ran = subprocess.CompletedProcess([], 0, json.dumps(found), "no connection\n")
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: ran)


def weak(name: str, *fixed: str) -> dict:
    return {"name": name, "version": "1", "vulns": [{"id": "X-1", "fix_versions": list(fixed)}]}


def test_without_a_connection_it_is_said_and_passes(audit, monkeypatch, capsys):
    answers(monkeypatch, None)
    assert audit.main() == 0
    assert "skipped" in capsys.readouterr().out

    def late(*_args, **_given):
        raise subprocess.TimeoutExpired("pip-audit", 20)

    monkeypatch.setattr(subprocess, "run", late)
    assert audit.main() == 0
    assert "no answer after 20 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("package", "code"),
    [(weak("Pillow", "99"), 1), (weak("pillow"), 0), (weak("pip", "99"), 0), ({"name": "a"}, 0)],
)
def test_only_what_can_be_updated_fails(audit, monkeypatch, package, code):
    monkeypatch.setattr(audit, "dependencies", lambda: {"pillow", "torch"})
    answers(monkeypatch, {"dependencies": [package]})
    assert audit.main() == code
