"""What the window keeps about a session in addition to the session's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ldam_studio.networks.sources.families import runs_code

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.gui.session.model import Model


class Note(msgspec.Struct):
    """What is saved about a session in addition to its file; most fields are those of `Opening`.

    Attributes
    ----------
    network
        Name of the network in the first lane; empty if unknown.
    code
        Names of the networks in the user's own code; empty if there are none.
    features
        The values that each feature remembers, by the feature's name.
    watched, beside
        Written by version 0.1.0 only: the watched folder or file, and the title of the second
        network.
    """

    title: str
    rows: list[str]
    front: int
    mode: Literal["image", "signed"]
    scale: float | None
    hint: str
    max_rate: int
    network: str = msgspec.field(default="", name="watched_as")
    lane_titles: dict[int, str] = msgspec.field(default_factory=dict)
    code: str = ""
    features: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    watched: str | None = None
    beside: str = msgspec.field(default="", name="second_title")

    @classmethod
    def of(cls, model: Model, hint: str, features: dict[str, dict[str, Any]]) -> Note:
        """Return a note about the current session."""
        return cls(
            title=model.title,
            rows=list(model.rows),
            front=model.front,
            mode="image" if model.display.mode == "image" else "signed",
            scale=model.display.scale,
            hint=hint,
            max_rate=model.max_rate,
            network=model.outline.lane.network.name if model.is_open else "",
            lane_titles=model.lane_titles() if model.is_open else {},
            code=_code_of(model.outline) if model.is_open else "",
            features=features,
        )

    def remembered(self) -> dict[str, dict[str, Any]]:
        """Return the values that each feature remembers, by the feature's name."""
        if self.watched is None:
            return self.features
        return {"watching": {"place": self.watched, "network": self.network}} | self.features


def _code_of(outline: Outline) -> str:
    """Return the names of a session's networks in the user's own code; empty if none."""
    names = dict.fromkeys(lane.network.name for lane in outline.lanes)
    return " and ".join(name for name in names if runs_code(name))
