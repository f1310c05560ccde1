"""Finding the tensors of a forward pass that have a gradient with respect to the image."""

from __future__ import annotations

from typing import Any

from torch import Tensor

NO_GRADIENT = "NotImplemented"
"""Part of the name of the node in torch's graph that stands for an operation without a gradient."""


class GradientPaths:
    """Follows the graph of a backward pass to one image, and remembers the results."""

    def __init__(self, image: Tensor) -> None:
        self._leading = {image.grad_fn}
        self._astray: set[Any] = set()

    def lead_from(self, tensor: Tensor) -> bool:
        """Return whether a backward pass from a tensor reaches the image.

        A tensor may require a gradient and yet have none: for example, operations on quantised
        weights cannot be differentiated.
        """
        seen: set[Any] = set()
        open_ends = [tensor.grad_fn]
        while open_ends:
            node = open_ends.pop()
            if node in self._leading:
                self._leading.add(tensor.grad_fn)
                return True
            if node is None or node in seen or node in self._astray:
                continue
            if NO_GRADIENT in node.name():
                continue
            seen.add(node)
            open_ends += [further for further, _ in node.next_functions]
        self._astray |= seen
        return False
