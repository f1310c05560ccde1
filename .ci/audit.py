"""Ask pip-audit for known weaknesses of what is installed: a part of ``make lint``.

It fails where the project could take a version without one. Where pip-audit is missing or cannot
reach its data, it says so: a machine without a connection has to pass, too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata

PATIENCE_S = 20.0


def main() -> int:
    """Print what was found; exit code 1 if a dependency of the project has to be updated."""
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off"]
    try:
        ran = subprocess.run(
            [*command, "--skip-editable", "--timeout=10"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        found = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return skipped(f"it had no answer after {PATIENCE_S:.0f} s")
    except (ValueError, KeyError, TypeError, OSError):
        lines = ran.stderr.strip().splitlines() or ["it gave no answer"]
        return skipped(lines[-1][:200])
    own = dependencies()
    wrong = 0
    for package in found:
        for weakness in package.get("vulns", ()):
            fixed = ", ".join(weakness.get("fix_versions", ()))
            named = f"{package['name']} {package['version']}: {weakness['id']}"
            print(f"audit: {named}, " + (f"fixed in {fixed}" if fixed else "not fixed yet"))
            wrong += bool(fixed) and canonical(package["name"]) in own
    print(f"audit: {len(found)} packages, {wrong or 'none'} of the project's own to be updated")
    return 1 if wrong else 0


def skipped(why: str) -> int:
    """Say that nothing was compared."""
    print(f"audit: skipped, since pip-audit could not reach its data or is missing ({why})")
    return 0


def dependencies() -> set[str]:
    """Return the names of the packages that the project itself asks for."""
    try:
        asked = metadata.requires("ldam-studio") or []
    except metadata.PackageNotFoundError:
        return set()
    return {canonical(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in asked}


def canonical(name: str) -> str:
    """Return a package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
