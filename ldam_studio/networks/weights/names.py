"""Names of weights: wrappers in them, other spellings of the same weight, and bookkeeping."""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch import Tensor

WRAPPERS = frozenset(
    ("module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_fpw_module")
)
"""Parts of names that come from wrapping a module, anywhere in it, and not from the module."""

OTHER_SPELLINGS = tuple(
    (old.count("."), re.compile(old), new)
    for old, new in (
        # Weight and spectral norm as parametrisations, and as torch.nn.utils had them before.
        (r"parametrizations\.(\w+)\.original0", r"\1_g"),
        (r"parametrizations\.(\w+)\.original1", r"\1_v"),
        (r"parametrizations\.(\w+)\.original", r"\1_orig"),
        (r"parametrizations\.(\w+)\.0\.(_[uv])", r"\1\2"),
        (r"(\w+)_g", r"parametrizations.\1.original0"),
        (r"(\w+)_v", r"parametrizations.\1.original1"),
        (r"(\w+)_orig", r"parametrizations.\1.original"),
        (r"(\w+)(_[uv])", r"parametrizations.\1.0.\2"),
    )
)

ENDS = ("_g", "_v", "_u", "_orig", "original", "original0", "original1")
"""How all names end that have been spelled in another way."""

COUNTERS = re.compile(
    r"(?<![^.])(total_ops|total_params|num_batches_tracked|n_averaged|num_updates|_?extra_state"
    r"|(global_)?steps?|iterations?|epochs?|initted|decay|(pos|class|loss)_weights?|ce_weights?"
    r"|tp|fp|tn|fn|confmat|correct|total|sum_(squared|abs)_error|num_obs|best_\w+|log_(vars?|sigmas?))$"
)
"""Last parts of names of counters, weights of a loss and states of a metric."""

OPTIMISER = re.compile(
    r"(?<![^.])(exp_avg\w*|max_exp_avg\w*|momentum_buffer|square_avg|grad_avg|acc_delta|exp_inf"
    r"|prev|sum|step|ax|mu|eta)$"
)
"""Last parts of names in the state of an optimiser, after the number of the weight."""
NUMBERED = re.compile(r"(^|\.)state\.\d+\.$")


def is_of_optimiser(place: str, name: str) -> bool:
    """Return whether a tensor at a place in a file is part of an optimiser's state."""
    return bool(NUMBERED.search(place) and OPTIMISER.search(name)) or name.startswith("exp_avg")


BESIDE = frozenset(
    "loss losses criterion criteria metric metrics acc accuracy auroc auc f1score precision "
    "recall confmat iou miou dice psnr ssim lpips mse bce focal top1 top5 meter meters ema "
    "swa".split()
)
"""Words in names of what belongs to a training, not to its network: losses, metrics, averages."""
WORD = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+\d*(?![a-z])")


def bare(name: str) -> str:
    """Return a name without the wrappers in it."""
    parts = name.split(".")
    return ".".join(part for part in parts if part not in WRAPPERS)


def spellings(name: str) -> Iterator[str]:
    """Yield other names that the same weight has had."""
    if not name.endswith(ENDS):
        return  # nearly all names
    for dots, old, new in OTHER_SPELLINGS:
        tail = ".".join(name.rsplit(".", dots + 1)[-dots - 1 :])
        if found := old.fullmatch(tail):
            yield name[: len(name) - len(tail)] + found.expand(new)


def is_bookkeeping(name: str, value: Tensor) -> bool:
    """Return whether a tensor that a network lacks belongs to its training, such as a counter.

    Weights are no whole numbers; those in a file count or point at something.
    """
    words = {word.lower() for part in name.split(".") for word in WORD.findall(part)}
    numbers = value.is_floating_point() or value.is_complex()
    return not numbers or bool(COUNTERS.search(name) or words & BESIDE)
