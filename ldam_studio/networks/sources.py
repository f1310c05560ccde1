"""Where a network's module comes from: torchvision, or a function in the person's own code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec

TORCHVISION = "torchvision:"
SLOW_TO_INITIALISE = ("googlenet", "inception_v3")


@dataclass(frozen=True)
class Source:
    """A way to build a module.

    `build` takes the number of classes, or None for as many as it has by itself. `pixels` is None
    where nothing is known about the input. `url` is where its own weights can be had.
    """

    build: Callable[[int | None], nn.Module]
    pixels: PixelSpec | None = None
    labels: tuple[str, ...] = ()
    url: str | None = None


def find_source(spec: str) -> Source:
    """Return what a specification names, without building it.

    Parameters
    ----------
    spec
        ``torchvision:NAME``, ``path/file.py:function`` or ``package.module:function``. The last two
        run the person's own code, so they come from the command line or a confirmed dialog only.

    Raises
    ------
    StudioError
        If there is no such model, file, module or function.
    """
    if spec.startswith(TORCHVISION):
        return _torchvision(spec.removeprefix(TORCHVISION))
    place, _, name = spec.rpartition(":")
    return _factory(place, name)


def _torchvision(name: str) -> Source:
    # Slow to import, and the built-in networks do not need it.
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        near = [n for n in names if n.startswith(name[:4])] or ["resnet18", "squeezenet1_0"]
        raise StudioError(
            f"torchvision has no classification model {name!r}; it has {', '.join(near[:8])} and "
            "others."
        )
    weights = models.get_model_weights(name).DEFAULT
    transforms = weights.transforms()
    size = transforms.crop_size[0]

    def build(classes: int | None) -> nn.Module:
        options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        if name in SLOW_TO_INITIALISE:
            # Their random start takes minutes, and their default weights have auxiliary heads.
            options |= {"init_weights": False, "aux_logits": True}
        if name == "inception_v3" or name == "googlenet":
            options["transform_input"] = True
        module: nn.Module = models.get_model(name, weights=None, **options)
        return module

    pixels = PixelSpec(3, size, size, tuple(transforms.mean), tuple(transforms.std), rest=0.5)
    return Source(build, pixels, tuple(weights.meta["categories"]), weights.url)


def _factory(place: str, name: str) -> Source:
    """Find a function in a file or a module; what it returns may carry a `pixels` attribute."""
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise StudioError(f"{place} has no function {name!r}; write FILE.py:FUNCTION.")

    def build(_classes: int | None) -> nn.Module:
        try:
            made = function()
        except Exception as error:
            raise StudioError(
                f"{place}:{name} failed ({type(error).__name__}: {error}); it must work without "
                "arguments."
            ) from None
        if not isinstance(made, nn.Module):
            raise StudioError(
                f"{place}:{name} returned {type(made).__name__}, not a torch.nn.Module."
            )
        return made

    return Source(build)


def _import_file(path: Path) -> Any:
    if not path.is_file():
        raise StudioError(f"There is no file {path}; check the path.")
    name = f"ldam_studio_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Classes find their module by name when they are copied.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise StudioError(
            f"{path} cannot be imported ({type(error).__name__}: {error}); mend it first."
        ) from None
    return module


def _import_module(place: str) -> Any:
    try:
        return importlib.import_module(place)
    except Exception as error:
        raise StudioError(
            f"{place or 'the network'} cannot be imported ({type(error).__name__}: {error}); write "
            "lenet, torchvision:NAME, FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION."
        ) from None
