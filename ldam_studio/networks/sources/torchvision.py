"""The classification models of torchvision, with the weights that it publishes."""

from __future__ import annotations

import re
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.family import Family, Published, Source
from ldam_studio.networks.sources.similar import similar

SLOW_TO_INITIALISE = ("googlenet", "inception_v3")
OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)"), r"\1\2"),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"(encoder_layer_\d+\.mlp)\.linear_2\."), r"\1.3."),
)
"""Names of weights in older files, including torchvision's own, and their present names."""
SPARE = ("aux1.", "aux2.", "AuxLogits.")
"""Prefixes of the weights of auxiliary heads, which are used in training only."""


def torchvision_models() -> tuple[str, ...]:
    """Return the names of torchvision's classification models."""
    models = _models()
    return tuple(models.list_models(module=models))


def torchvision_source(name: str) -> Source:
    """Return torchvision's classification model of that name; `StudioError` if there is none."""
    models = _models()
    names = models.list_models(module=models)
    if name not in names:
        raise StudioError(
            f"torchvision has no classification model {name!r}; it has "
            f"{similar(name, names, _first_words(names))} and others."
        )
    weights = models.get_model_weights(name).DEFAULT
    transforms = weights.transforms()
    size = transforms.crop_size[0]

    def build(classes: int | None) -> nn.Module:
        options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        if name in SLOW_TO_INITIALISE:
            # Their random initialisation takes minutes, and their default weights have auxiliary
            # heads.
            options |= {"init_weights": False, "aux_logits": True, "transform_input": True}
        if name.startswith("vit_"):
            # These are built for one size, and their default weights may need an unusual one.
            options["image_size"] = size
        module: nn.Module = models.get_model(name, weights=None, **options)
        return module

    labels = tuple(weights.meta["categories"])
    return Source(
        build,
        PixelSpec(3, size, size, tuple(transforms.mean), tuple(transforms.std), rest=0.5),
        labels=labels,
        classes=len(labels),
        published=Published(weights.url, weights.url.rpartition("/")[2]),
        spare=SPARE,
        new_name=_new_name,
    )


def _models() -> Any:
    try:
        # Slow to import, and the built-in networks do not need it.
        from torchvision import models
    except Exception as error:
        raise StudioError(
            f"torchvision cannot be imported ({in_short(error)}); install the version for your "
            "version of torch."
        ) from None
    return models


def _new_name(name: str) -> str:
    for old, new in OLD_NAMES:
        name = old.sub(new, name)
    return name


def _first_words(names: list[str]) -> str:
    """Return the words with which the names begin, for a reader who does not know any of them."""
    words = sorted({re.match("[a-z]*", name).group() for name in names})  # type: ignore[union-attr]
    return ", ".join(word if word in names else f"{word}…" for word in words)


FAMILY: Family = Family(
    title="torchvision",
    usage="torchvision:NAME",
    about="classification models of torchvision",
    find=torchvision_source,
    prefix="torchvision:",
    names=torchvision_models,
    package="torchvision",
)
