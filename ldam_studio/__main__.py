"""``python -m ldam_studio`` is the same as ``ldam-studio``."""

from ldam_studio.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
