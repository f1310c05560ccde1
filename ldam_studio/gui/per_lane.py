"""A setting's value in several lanes at once."""

from __future__ import annotations


class PerLane(tuple[object, ...]):
    """The values of a setting that differs between lanes: one value for each lane, in lane order.

    A value may itself be a tuple with one number per chain, which is why this is a type of its own.
    """

    __slots__ = ()
