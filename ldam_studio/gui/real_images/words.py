"""What is said of a real image when the pointer rests on it."""

from __future__ import annotations

from ldam_studio.errors import plain
from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.explore.real_images.index import Example
from ldam_studio.explore.real_images.standing import number, share_below


def about(evidence: Evidence, example: Example) -> str:
    """Return an image's name, value and place in lines."""
    every = f"{len(evidence.responses):,} images"
    if example.value == evidence.responses.values.max():
        rank = f"the largest of {every}"
    else:
        share = share_below(example.value, evidence.responses)
        rank = f"above {min(100 * share, 99.9):.3g} % of {every}"
    lines = [plain(example.name), f"activation {number(example.value)}, {rank}"]
    if example.place is not None:
        lines.append(f"at the place {', '.join(map(str, example.place))} of the layer")
    if example.box is not None:
        top, left, bottom, right = example.box
        lines.append(f"which sees {right - left} x {bottom - top} pixels from {left}, {top}")
    return "\n".join(lines)
