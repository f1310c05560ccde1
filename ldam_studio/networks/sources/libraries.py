"""Networks that a library publishes: torchvision's classification models, and those of timm."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.labels import imagenet_labels

TORCHVISION = "torchvision:"
TIMM = "timm:"
SLOW_TO_INITIALISE = ("googlenet", "inception_v3")
HUB_FILE = "model.safetensors"
OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)"), r"\1\2"),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_2\."), r"\1.3."),
)
"""Names in torchvision's older files, its own among them, and what they are now."""
SPARE = ("aux1.", "aux2.", "AuxLogits.")  # heads of torchvision's that are there for training alone


@dataclass(frozen=True)
class Published:
    """The weights that a library publishes: where they are, and what their file is called here.

    `here` is where the library itself may already have put them.
    """

    url: str
    file: str
    here: Path | None = None


@dataclass(frozen=True)
class Source:
    """A way to build a module.

    `build` takes the number of classes, or None for as many as it has by itself, which are
    `classes` where that is known. `pixels` is None where nothing is known about the input.
    `published` says where its own weights can be had, and `build_published` builds it with them
    where the library has to translate their names. Weights that begin with one of `spare` may be
    missing, because they are not used; `new_name` says what an older file's weight is called now.
    """

    build: Callable[[int | None], nn.Module]
    pixels: PixelSpec | None = None
    labels: tuple[str, ...] = ()
    classes: int = 0
    published: Published | None = None
    build_published: Callable[[dict[str, Any]], nn.Module] | None = None
    spare: tuple[str, ...] = ()
    new_name: Callable[[str], str] | None = None


def torchvision_source(name: str) -> Source:
    """Return torchvision's classification model of that name; `StudioError` if there is none."""
    # Slow to import, and the built-in networks do not need it.
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        raise StudioError(
            f"torchvision has no classification model {name!r}; it has "
            f"{_near(name, names, _families(names))} and others."
        )
    weights = models.get_model_weights(name).DEFAULT
    transforms = weights.transforms()
    size = transforms.crop_size[0]

    def build(classes: int | None) -> nn.Module:
        options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        if name in SLOW_TO_INITIALISE:
            # Their random start takes minutes, and their default weights have auxiliary heads.
            options |= {"init_weights": False, "aux_logits": True, "transform_input": True}
        if name.startswith("vit_"):
            # Built for one size, and their best weights may be for another than the usual one.
            options["image_size"] = size
        module: nn.Module = models.get_model(name, weights=None, **options)
        return module

    labels = tuple(weights.meta["categories"])
    return Source(
        build,
        PixelSpec(3, size, size, tuple(transforms.mean), tuple(transforms.std), rest=0.5),
        labels,
        len(labels),
        Published(weights.url, weights.url.rpartition("/")[2]),
        spare=SPARE,
        new_name=_new_name,
    )


def _new_name(name: str) -> str:
    for old, new in OLD_NAMES:
        name = old.sub(new, name)
    return name


def has_timm() -> bool:
    """Whether the extra timm is installed."""
    return importlib.util.find_spec("timm") is not None


def timm_models() -> tuple[str, ...]:
    """Return the names of timm's models that have published weights, with their tags."""
    timm = _timm()
    return tuple(timm.list_models(pretrained=True))


def timm_source(name: str) -> Source:
    """Return timm's model of that name, such as ``resnet18`` or ``resnet18.a1_in1k``.

    Raises
    ------
    StudioError
        If timm is not installed, or has no such model.
    """
    timm = _timm()
    known = timm.is_model(name.partition(".")[0])
    try:
        config = timm.get_pretrained_cfg(name) if known else None
    except RuntimeError:  # there is the model, but not with that tag
        known = False
    if not known:
        raise StudioError(
            f"timm has no model {name!r}; it has "
            f"{_near(name, timm.list_models(), 'resnet18')} and others."
        )

    def build(classes: int | None) -> nn.Module:
        options = {} if classes is None else {"num_classes": classes}
        module: nn.Module = timm.create_model(name, pretrained=False, **options)
        return module

    if config is None:
        return Source(build)

    def build_published(saved: dict[str, Any]) -> nn.Module:
        # Some files have another program's names; timm translates what it is handed.
        overlay = {"state_dict": saved}
        module: nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
        return module

    data = timm.data.resolve_data_config(pretrained_cfg=config.to_dict())
    channels, height, width = data["input_size"]
    source = Source(
        build,
        PixelSpec(channels, height, width, tuple(data["mean"]), tuple(data["std"]), rest=0.5),
        _timm_labels(timm, config),
        config.num_classes,
        build_published=build_published,
    )
    return replace(source, published=_timm_weights(config))


def _timm() -> Any:
    try:
        import timm
        import timm.data
    except ModuleNotFoundError:
        raise StudioError(
            "timm:NAME needs the extra timm, which is not installed; install it with: "
            "pip install 'ldam-studio[timm]' (or: pip install timm)."
        ) from None
    except Exception as error:
        raise StudioError(
            f"timm does not import ({in_short(error)}); install the one made for this torch."
        ) from None
    return timm


def _timm_labels(timm: Any, config: Any) -> tuple[str, ...]:
    """Return the names of a model's classes where its number of classes tells which they are."""
    if config.num_classes == 1000:
        return imagenet_labels()
    subset = timm.data.infer_imagenet_subset({"num_classes": config.num_classes})
    if subset is None:
        return ()
    names = timm.data.ImageNetInfo(subset)
    if names.num_classes() != config.num_classes:
        return ()
    return tuple(names.index_to_description(i) for i in range(config.num_classes))


def _timm_weights(config: Any) -> Published | None:
    """Return where timm's own weights are: as safetensors on its hub, else as a state dict."""
    if not config.hf_hub_id:
        return Published(config.url, config.url.rpartition("/")[2]) if config.url else None
    # timm brings it along.
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    place, _, revision = str(config.hf_hub_id).partition("@")
    file = config.hf_hub_filename or HUB_FILE
    cached = try_to_load_from_cache(place, file, revision=revision or None)
    return Published(
        hf_hub_url(place, file, revision=revision or None),
        f"{place}@{revision}-{file}".replace("/", "-").replace("@-", "-"),
        Path(cached) if isinstance(cached, str) else None,
    )


def _families(names: list[str]) -> str:
    """Return what names begin with, for who knows none of them."""
    words = sorted({re.match("[a-z]*", name).group() for name in names})  # type: ignore[union-attr]
    return ", ".join(word if word in names else f"{word}…" for word in words)


def _near(name: str, names: list[str], otherwise: str) -> str:
    """Return a few names that are like one that was mistyped."""
    return ", ".join(difflib.get_close_matches(name.casefold(), names, 5) or [otherwise])
