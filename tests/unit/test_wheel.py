"""The wheel carries everything: installed elsewhere, the program finds its files in itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pip(*words: str, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it, without what it depends on, into a fresh prefix."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT), cwd=folder)
    (wheel,) = folder.glob("ldam_studio-*.whl")
    prefix = folder / "prefix"
    # Without --ignore-installed pip would uninstall the checkout from this environment first.
    options = ["--no-deps", "--no-index", "--ignore-installed", "--prefix", str(prefix)]
    pip("install", *options, str(wheel), cwd=folder)
    return prefix


def test_the_installed_program_finds_its_own_files(prefix: Path, tmp_path: Path):
    paths = sysconfig.get_paths(vars={"base": str(prefix), "platbase": str(prefix)})
    here = sysconfig.get_paths()["purelib"]
    done = subprocess.run(
        [sys.executable, Path(paths["scripts"]) / "ldam-studio", "info", "--json"],
        cwd=tmp_path,
        # The fresh prefix comes first; torch and its like come from where the tests run.
        env=os.environ | {"PYTHONPATH": os.pathsep.join([paths["purelib"], here])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert Path(about["models"]) == Path(paths["purelib"]) / "ldam_studio" / "models"
    shipped = {"lenet", "lenet-averaged", "vgg", "vgg-averaged"}
    assert {network["name"] for network in about["networks"]} == shipped


def test_everything_that_is_shipped_travels(prefix: Path):
    package = next(prefix.rglob("ldam_studio"))
    assert (package / "py.typed").is_file() and (package / "__init__.pyi").is_file()
    for folder in ("models", "resources"):
        tracked = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        assert tracked or not (ROOT / ".git").exists()
        missing = [name for name in tracked if not (package / name).is_file()]
        assert not missing
    (licence,) = prefix.rglob("licenses/LICENSE")
    assert "GNU GENERAL PUBLIC LICENSE" in licence.read_text(encoding="utf-8")
