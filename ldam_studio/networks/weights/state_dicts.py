"""Finding the weights of a module in the file of a training run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ldam_studio.errors import StudioError

DEPTH = 3  # levels of nested dictionaries that are searched for weights


@dataclass(frozen=True)
class Match:
    """Weights by a module's names, and those that do not fit.

    Attributes
    ----------
    state
        The tensors that fit in name and shape.
    missing
        Names of the module's weights that the file lacks.
    unexpected
        Names of the file's weights that the module lacks.
    misshapen
        Names of weights whose shapes differ, with both shapes.
    where
        What preceded the names in the file: keys of dictionaries and a prefix.
    """

    state: dict[str, Tensor]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]
    where: str

    @property
    def complete(self) -> bool:
        """Whether the weights of file and module are the same, in names and shapes."""
        return not (self.missing or self.unexpected or self.misshapen)


def candidates(
    saved: Any, where: str = "", depth: int = DEPTH
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield every dictionary of tensors in a file's content, with the keys that lead to it.

    A checkpoint may hold the weights at its top level, or below "state_dict", "model", "ema", ...
    """
    if not isinstance(saved, Mapping):
        return
    tensors = {k: v for k, v in saved.items() if isinstance(k, str) and isinstance(v, Tensor)}
    if tensors:
        yield where, tensors
    if depth:
        for key, value in saved.items():
            yield from candidates(value, f"{where}{key}/", depth - 1)


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's weights by name, without other objects in its state dict (extra state)."""
    return {n: value for n, value in module.state_dict().items() if isinstance(value, Tensor)}


def renamed(
    saved: Mapping[Any, Any], new_name: Callable[[str], str], depth: int = DEPTH
) -> dict[Any, Any]:
    """Return a file's content with new names for its tensors, wherever `candidates` finds them."""
    found: dict[Any, Any] = {}
    for key, value in saved.items():
        if isinstance(value, Mapping) and depth:
            value = renamed(value, new_name, depth - 1)
        is_weight = isinstance(key, str) and isinstance(value, Tensor)
        found[new_name(key) if is_weight else key] = value
    return found


def best_match(saved: Any, module: nn.Module, source: Path | str) -> Match:
    """Return the candidate, stripped of a prefix, that fits `module` best.

    Among equals, plain weights are preferred to a moving average of them ("ema"). A prefix is
    anything before a weight's own name, for example "module.", "model." or "_orig_mod.".

    Raises
    ------
    StudioError
        If there are no tensors in `saved` at all.
    """
    own = own_tensors(module)
    matches = [_match(own, tensors, where) for where, tensors in _readings(saved, own)]
    if not matches:
        raise StudioError(
            f"{source} contains no weights (tensors by name); save model.state_dict()."
        )
    return max(
        matches,
        key=lambda m: (
            len(m.state),
            -len(m.misshapen),
            -len(m.unexpected),
            "ema" not in m.where.lower(),
        ),
    )


def classes_in(saved: Any, module: nn.Module, classes: int) -> int | None:
    """Return the number of classes of saved weights, if only this differs from the module's.

    It is the number of rows of those weights that have `classes` rows in the module and another
    number in the file.
    """
    own = own_tensors(module)
    match = best_match(saved, module, "")
    found = {
        rows
        for where, tensors in _readings(saved, own)
        if where == match.where
        for name, value in tensors.items()
        if name in own
        and own[name].ndim
        and value.ndim == own[name].ndim
        and own[name].shape[0] == classes
        and value.shape[1:] == own[name].shape[1:]
        and (rows := value.shape[0]) != classes
    }
    return found.pop() if len(found) == 1 else None


def _match(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor], where: str) -> Match:
    fits = {n: t for n, t in tensors.items() if n in own and own[n].shape == t.shape}
    return Match(
        state=fits,
        # Counters of batches have no effect at inference, and old files lack them.
        missing=tuple(n for n in own if n not in tensors and not n.endswith("num_batches_tracked")),
        unexpected=tuple(n for n in tensors if n not in own),
        misshapen=tuple(
            f"{n} {tuple(t.shape)} for {tuple(own[n].shape)}"
            for n, t in tensors.items()
            if n in own and own[n].shape != t.shape
        ),
        where=where,
    )


def _readings(saved: Any, own: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield every candidate unchanged, and without each prefix that some of its names have.

    If all of the module's own names have a prefix, candidates are also yielded with it: the module
    may be wrapped (nn.DataParallel, torch.compile) while its file is not.
    """
    wrapped = _wrapping(own)
    plain = {name[len(wrapped) :]: value for name, value in own.items()}
    for where, tensors in candidates(saved):
        prefixes = ["", *_prefixes(tensors, own)]
        if wrapped:
            prefixes += [p for p in _prefixes(tensors, plain) if p not in prefixes]
        for prefix in prefixes:
            found = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
            yield where + prefix, found
            if wrapped:
                yield where + prefix, {wrapped + n: t for n, t in found.items()}


def _wrapping(own: Mapping[str, Tensor]) -> str:
    """Return the prefix, up to a dot, that all names of a module share; empty without one."""
    first = next(iter(own), "").partition(".")
    lead = "".join(first[:2])
    return lead if first[1] and all(name.startswith(lead) for name in own) else ""


def _prefixes(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    """Return the prefixes that precede the names of a few of the module's own weights."""
    names = list(own)
    asked = {f".{name}" for name in (*names[:1], *names[len(names) // 2 :][:1], *names[-1:])}
    found = (n[: len(n) - len(e) + 1] for n in tensors for e in asked if n.endswith(e))
    return list(dict.fromkeys(found))
