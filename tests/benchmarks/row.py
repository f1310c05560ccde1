"""One line of the table."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Row:
    """A measured value and its bound, such as ``>= 0.9``; none where it is only reported."""

    name: str
    value: float
    bound: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within its bound, if it has one."""
        if not self.bound:
            return True
        relation, limit = self.bound.split()
        return bool(COMPARE[relation](self.value, float(limit)))

    def json(self) -> dict[str, Any]:
        """Return the row as it is written to the file."""
        return {"name": self.name, "value": self.value, "bound": self.bound, "met": self.met}
