"""Saving a training run on disk, so that it can be resumed after it was cancelled or killed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ldam_studio.errors import StudioError
from ldam_studio.files import write_bytes
from ldam_studio.training.classifier import ClassifierRun
from ldam_studio.training.classifier_recipes import ClassifierRecipe


def write_kept(path: Path, content: Mapping[str, Any]) -> None:
    """Write a run's state: numbers, texts, tensors, and lists and dictionaries of them.

    Raises
    ------
    StudioError
        If the file cannot be written.
    """
    written = io.BytesIO()
    torch.save(dict(content), written)
    write_bytes(path, written.getvalue())


@contextmanager
def kept_in(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what `write_kept` wrote; an error in the block that uses it counts as damage.

    Raises
    ------
    StudioError
        If the file is missing or damaged. A StudioError raised in the block is passed on.
    """
    try:
        yield torch.load(io.BytesIO(path.read_bytes()), weights_only=True)
    except FileNotFoundError:
        raise StudioError(f"There is no run to resume in {path.parent}; start one.") from None
    except OSError as error:
        raise StudioError(
            f"{path} cannot be read ({error.strerror or error}); check the folder."
        ) from None
    except StudioError:
        raise
    except Exception:
        # Torch's reader raises errors of many types, with advice that does not apply here.
        raise StudioError(f"{path} is damaged; start a new run.") from None


def other_settings(path: Path) -> StudioError:
    """Return the error for a saved run whose settings differ from the present ones."""
    return StudioError(
        f"{path} belongs to a run with other settings; use the same settings, or start a new run."
    )


def save_run(
    run: ClassifierRun,
    recipe: ClassifierRecipe,
    path: Path,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Write everything that the rest of a classifier's run depends on, see `write_kept`.

    `load_run` returns `beside`.
    """
    content = {
        "recipe": asdict(recipe),
        "module": run.module.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "order": run.order.get_state(),
        "average": run.average.stored(),
        "epoch": run.epoch,
        "step": run.step,
        "loss": run.loss,
        "done": run.done,
        "losses": run.losses,
        "shuffle": run.shuffle,
        "rate": run.rate,
        "beside": dict(beside or {}),
    }
    write_kept(path, content)


def kept_recipe(path: Path) -> dict[str, Any]:
    """Return the recipe of a classifier's saved run, as a dictionary.

    Raises
    ------
    StudioError
        If the file is missing or damaged.
    """
    with kept_in(path) as saved:
        return dict(saved["recipe"])


def load_run(run: ClassifierRun, recipe: ClassifierRecipe, path: Path) -> dict[str, Any]:
    """Restore a run from `classifier.start` to the state that `save_run` wrote, in place.

    Returns what was written `beside` it.

    Raises
    ------
    StudioError
        If the file is missing or damaged, or belongs to a run with another recipe.
    """
    with kept_in(path) as saved:
        if saved["recipe"] != asdict(recipe):
            raise other_settings(path)
        run.module.load_state_dict(saved["module"])
        run.optimiser.load_state_dict(saved["optimiser"])
        run.order.set_state(saved["order"])
        run.average.restore(saved["average"])
        run.epoch, run.step, run.loss = saved["epoch"], saved["step"], saved["loss"]
        # Older files, which were written between two epochs, lack these.
        run.done, run.losses = saved.get("done", 0), saved.get("losses", 0.0)
        run.shuffle, run.rate = saved.get("shuffle"), saved.get("rate")
        return dict(saved.get("beside", {}))
