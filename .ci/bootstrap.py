"""Make the virtual environment and install the project: what ``make`` calls on a fresh machine.

Standard library only, since it runs before anything is installed. Where packages come from is pip's
own business (its options, environment and configuration files).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# What Debian calls the packages of the libraries that Qt links to and pip cannot bring.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
TORCH_PROBE = """
import torch, torchvision
def old(package, *least):
    return tuple(int(part) for part in package.__version__.split("+")[0].split(".")[:2]) < least
raise SystemExit(old(torch, 2, 9) or old(torchvision, 0, 24))
"""


def say(text: str) -> None:
    """Print one line at once."""
    print(f"ldam-studio setup: {text}", flush=True)


def apt_install(packages: Iterable[str]) -> None:
    """Install Debian packages when allowed to; otherwise say which line does it."""
    names = sorted(set(packages))
    line = f"apt-get install -y --no-install-recommends {' '.join(names)}"
    apt = shutil.which("apt-get")
    if apt is None or not Path("/etc/debian_version").exists():
        say(
            f"install them with your system's package manager (Debian calls them {' '.join(names)})"
        )
        return
    if os.geteuid() != 0:
        say(f"install them with: sudo {line}")
        return
    say(f"installing them: {line}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    subprocess.run([apt, "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    done = subprocess.run([apt, *line.split()[1:]], check=False, **quiet)  # type: ignore[call-overload]
    if done.returncode:
        say(f"that did not work; run it by hand to see why: {line}")


def make_environment() -> None:
    """Create ``.venv``, on top of a torch that is already there when it is recent enough."""
    if PYTHON.exists():
        return
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:
        say("this Python cannot make virtual environments")
        apt_install([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"])
    probe = subprocess.run([sys.executable, "-c", TORCH_PROBE], capture_output=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if probe.returncode == 0:
        say("torch and torchvision are already here and will be used")
        command.append("--system-site-packages")
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    if subprocess.run(command).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit("ldam-studio setup: the virtual environment could not be made")


def size_of(url: str) -> int | None:
    """Ask how many bytes a file has, without fetching it; None when nobody says."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file":
        try:
            return Path(urllib.request.url2pathname(parts.path)).stat().st_size
        except OSError:
            return None
    context = ssl.create_default_context()
    try:
        if certificate := os.environ.get("PIP_CERT"):
            context.load_verify_locations(certificate)
        request = urllib.request.Request(url, method="HEAD")
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            length = answer.headers.get("Content-Length")
            return int(length) if length else None
    except (OSError, ValueError):
        return None


def announce_download(requirement: str) -> None:
    """Say what pip is about to fetch and how large it is."""
    say("asking pip what is missing")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--report", str(report), "-e", requirement]
        if subprocess.run(command, cwd=ROOT).returncode:
            raise SystemExit("ldam-studio setup: pip could not find every package")
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    urls = {
        item["metadata"]["name"]: item["download_info"]["url"]
        for item in items
        if "dir_info" not in item["download_info"]
    }
    if not urls:
        say("nothing has to be downloaded")
        return
    with ThreadPoolExecutor(8) as pool:
        sizes = dict(zip(urls, pool.map(size_of, urls.values()), strict=True))
    known = {name: size for name, size in sizes.items() if size is not None}
    text = f"{len(urls)} packages, {sum(known.values()) / 1e6:,.0f} MB to download"
    large = sorted(known, key=known.__getitem__, reverse=True)[:3]
    if large:
        text += " (" + ", ".join(f"{name} {known[name] / 1e6:,.0f} MB" for name in large) + " ...)"
    unknown = sorted(set(urls) - set(known))
    if unknown:
        text += f"; the size of {', '.join(unknown)} could not be found out"
    say(text + ", less what pip has in its cache")
    if any(name.startswith("nvidia-") for name in urls):
        say(
            "most of it is for NVIDIA's GPUs; where a CPU build of torch and torchvision is "
            "already installed for this Python, it is used instead"
        )


def install(extras: str) -> None:
    """Install the project in place with its extras, saying first how much that downloads."""
    requirement = f".[{extras}]" if extras else "."
    announce_download(requirement)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "-e", requirement]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise SystemExit("ldam-studio setup: pip could not install it (its words are above)")


def missing_libraries() -> list[str]:
    """List the shared libraries that Qt's window plugin would not find (Linux only)."""
    ldd = shutil.which("ldd")
    if not sys.platform.startswith("linux") or ldd is None:
        return []
    probe = "import importlib.util as u; print(u.find_spec('PyQt6').submodule_search_locations[0])"
    found = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True)
    qt = Path(found.stdout.strip()) / "Qt6"
    missing = set()
    for name in ("lib/libQt6Widgets.so.6", "plugins/platforms/libqxcb.so"):
        answer = subprocess.run([ldd, str(qt / name)], capture_output=True, text=True)
        lines = answer.stdout.splitlines()
        missing |= {line.split()[0] for line in lines if "not found" in line}
    return sorted(missing)


def check_system() -> bool:
    """Name the missing system libraries and install them if possible; True when all is well."""
    missing = missing_libraries()
    if not missing:
        return True
    say(f"Qt needs system libraries that are missing: {', '.join(missing)}")
    apt_install(PACKAGES.get(name, name) for name in missing)
    left = missing_libraries()
    if left:
        say("until they are there, the studio runs without a window")
    return not left


def main() -> None:
    """Bring ``.venv`` up to date and leave a stamp, so that the next call has nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="", help="extras of pyproject.toml, as in test,dev")
    parser.add_argument("--stamp", type=Path, required=True, help="the file that says it is done")
    args = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is what it looks for
        version = ".".join(str(part) for part in sys.version_info[:2])
        raise SystemExit(
            f"ldam-studio setup: Python 3.11 or newer is needed and this is {version}; "
            "name another one with: make PYTHON=python3.12"
        )
    text = (ROOT / "pyproject.toml").read_bytes() + args.extras.encode()
    wanted = hashlib.sha256(text).hexdigest()
    done = VENV / f".installed-{args.extras.replace(',', '-') or 'plain'}"
    make_environment()
    if not done.exists() or done.read_text(encoding="ascii") != wanted:
        install(args.extras)
        done.write_text(wanted, encoding="ascii")
    if check_system():
        args.stamp.touch()


if __name__ == "__main__":
    main()
