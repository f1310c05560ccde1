"""What the window keeps about a session in addition to the session's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ldam_studio.engine.comparison import MOST_LANES
from ldam_studio.engine.description import MOST_CHAINS
from ldam_studio.errors import plain
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline
    from ldam_studio.gui.session.model import Model

# Bounds for what the window shows, wider than anything that it writes itself.
Words = Annotated[str, Meta(max_length=2**16)]
Rows = Annotated[list[Words], Meta(max_length=MOST_CHAINS)]
Front = Annotated[int, Meta(ge=0, le=MOST_CHAINS)]
Rate = Annotated[int, Meta(ge=0, le=round(SETTINGS["max_rate"].maximum))]
Lane = Annotated[int, Meta(ge=0, lt=MOST_LANES)]
Scale = Annotated[float, Meta(gt=0)]
Pixels = Annotated[int, Meta(ge=0, le=2**24)]  # what Qt accepts as the size of a widget
Sizes = Annotated[list[Pixels], Meta(max_length=3)]
IMPERSONAL = ("agreement",)
"""Features whose memory names nothing that belongs to this computer or its user."""
LINE = 300  # letters of a text from a session file


class Layout(msgspec.Struct, frozen=True):
    """Which panels a window showed, and how it was divided.

    Attributes
    ----------
    across, middle
        Sizes of the columns, and of images, strip and traces, in logical pixels.
    panels
        Whether the user wanted to see each side, by the side's name.
    tab
        Title of the tab in front.
    """

    across: Sizes
    middle: Sizes
    panels: Annotated[dict[Words, bool], Meta(max_length=10)]
    tab: Words = ""

    def with_images(self) -> Layout:
        """Return a layout that leaves the images room: at least a third in each direction."""
        return msgspec.structs.replace(
            self,
            across=_with_room(self.across, 1),
            middle=_with_room(self.middle, 0),
            tab=plain(self.tab, LINE),
        )


def _with_room(sizes: list[int], images: int) -> list[int]:
    """Return sizes of which that with the number `images` is at least a third of them all."""
    whole = sum(sizes)
    others = whole - sizes[images] if len(sizes) > images else 0
    most = 2 * whole // 3
    if others <= most:
        return sizes
    shrunk = [size * most // others for size in sizes]
    shrunk[images] = whole - most
    return shrunk


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
    layout
        How the window was divided; None if it is not known.
    watched, beside
        Written by version 0.1.0 only: the watched folder or file, and the title of the second
        network.
    """

    title: Words
    rows: Rows
    front: Front
    mode: Literal["image", "signed"]
    scale: Scale | None
    hint: Words
    max_rate: Rate
    network: Words = msgspec.field(default="", name="watched_as")
    lane_titles: Annotated[dict[Lane, Words], Meta(max_length=MOST_LANES)] = msgspec.field(
        default_factory=dict
    )
    code: Words = ""
    features: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    layout: Layout | None = None
    watched: Words | None = None
    beside: Words = msgspec.field(default="", name="second_title")

    @classmethod
    def of(
        cls,
        model: Model,
        hint: str,
        features: dict[str, dict[str, Any]],
        layout: Layout | None = None,
    ) -> Note:
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
            layout=layout,
        )

    def impersonal(self) -> Note:
        """Return the note of a session file, which is given to others or comes from them.

        It lacks what concerns this computer, and its texts are short enough to be shown.
        """
        return msgspec.structs.replace(
            self,
            title=plain(self.title, LINE),
            rows=[plain(row, LINE) for row in self.rows],
            hint=plain(self.hint, LINE),
            lane_titles={lane: plain(title, LINE) for lane, title in self.lane_titles.items()},
            features={name: self.features.get(name, {}) for name in IMPERSONAL},
            layout=None if self.layout is None else self.layout.with_images(),
            network="",
            code="",
            watched=None,
            beside="",
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
