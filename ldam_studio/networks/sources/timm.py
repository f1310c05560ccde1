"""The networks of timm, an optional extra, with the weights that it publishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.family import Family, Published, Source
from ldam_studio.networks.sources.labels import imagenet_labels
from ldam_studio.networks.sources.similar import similar

HUB_FILE = "model.safetensors"


def timm_models() -> tuple[str, ...]:
    """Return the names of timm's models that have published weights, with their tags."""
    return tuple(_timm().list_models(pretrained=True))


def timm_source(name: str) -> Source:
    """Return timm's model of this name, for example ``resnet18`` or ``resnet18.a1_in1k``.

    Raises
    ------
    StudioError
        If timm is not installed, or has no such model.
    """
    timm = _timm()
    known = timm.is_model(name.partition(".")[0])
    try:
        config = timm.get_pretrained_cfg(name) if known else None
    except RuntimeError:  # the model exists, but not with that tag
        known = False
    if not known:
        raise StudioError(
            f"timm has no model {name!r}; it has "
            f"{similar(name, timm.list_models(), 'resnet18')} and others."
        )

    def build(classes: int | None) -> nn.Module:
        options = {} if classes is None else {"num_classes": classes}
        module: nn.Module = timm.create_model(name, pretrained=False, **options)
        return module

    if config is None:
        return Source(build)

    def build_published(saved: dict[str, Any]) -> nn.Module:
        # Some files have the names of another program; timm translates them.
        overlay = {"state_dict": saved}
        module: nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
        return module

    data = timm.data.resolve_data_config(pretrained_cfg=config.to_dict())
    channels, height, width = data["input_size"]
    source = Source(
        build,
        PixelSpec(channels, height, width, tuple(data["mean"]), tuple(data["std"]), rest=0.5),
        labels=_labels(timm, config),
        classes=config.num_classes,
        build_published=build_published,
    )
    return replace(source, published=_published(config))


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
            f"timm cannot be imported ({in_short(error)}); install the version for your version of "
            "torch."
        ) from None
    return timm


def _labels(timm: Any, config: Any) -> tuple[str, ...]:
    """Return the names of a model's classes, if their number shows which classes they are."""
    if config.num_classes == 1000:
        return imagenet_labels()
    subset = timm.data.infer_imagenet_subset({"num_classes": config.num_classes})
    if subset is None:
        return ()
    names = timm.data.ImageNetInfo(subset)
    if names.num_classes() != config.num_classes:
        return ()
    return tuple(names.index_to_description(i) for i in range(config.num_classes))


def _published(config: Any) -> Published | None:
    """Return where timm's own weights are: as safetensors on its hub, else as a state dict."""
    if not config.hf_hub_id:
        return Published(config.url, config.url.rpartition("/")[2]) if config.url else None
    # A dependency of timm.
    from huggingface_hub import hf_hub_url, try_to_load_from_cache

    place, _, revision = str(config.hf_hub_id).partition("@")
    file = config.hf_hub_filename or HUB_FILE
    cached = try_to_load_from_cache(place, file, revision=revision or None)
    return Published(
        hf_hub_url(place, file, revision=revision or None),
        f"{place}@{revision}-{file}".replace("/", "-").replace("@-", "-"),
        Path(cached) if isinstance(cached, str) else None,
    )


FAMILY: Family = Family(
    title="timm",
    usage="timm:NAME (with the extra timm)",
    about="models of timm, if it is installed",
    find=timm_source,
    prefix="timm:",
    names=timm_models,
    package="timm",
)
