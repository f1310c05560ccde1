"""LDAM Studio: watch Langevin chains draw what a network's neurons respond to.

For Python programs: ``import ldam_studio as ldam``. The names in `__all__` are public; they are
described in ``resources/guide/scripting.md``. Every other module of this package is private, and
may change with any version. Nothing is imported before the first of these names is used.
"""

__version__ = "0.1.0"

__all__ = [
    "Network",
    "PixelSpec",
    "Replayed",
    "Run",
    "StudioError",
    "open_network",
    "replay",
    "sample",
    "stream",
    "studio",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not by an import statement: all layers read the version here, and know nothing of scripting.
    from importlib import import_module

    home = "gui.app.scripted" if name == "studio" else "scripting"
    found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return found


def __dir__() -> list[str]:
    # Modules of this package become its attributes once they are imported, and are private.
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
