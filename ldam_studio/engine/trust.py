"""What a session believes of its neurons' receptive fields and crops."""

from __future__ import annotations

from enum import Enum


class Trust(Enum):
    """How far receptive fields and crops are believed; `engine.field_checks` changes it."""

    FORMER = "former"
    """Both, and crops are found as in version 0.1.0, whose recipes do not check them."""
    CROP = "crop"
    """Both."""
    WAITING = "waiting"
    """The fields. Crops are not used until a chain's neuron responds and confirms them."""
    FIELD = "field"
    """The fields. On a crop, a chain's activation or gradient was another."""
    NOTHING = "nothing"
    """Neither: a gradient was found outside of a field."""
    ELSEWHERE = "elsewhere"
    """Both; it is checked elsewhere whether that holds, see `engine.joined`."""

    @classmethod
    def at_first(cls, *, confirmed: bool) -> Trust:
        """Return the trust with which chains start; `confirmed` is that of `Device`."""
        return cls.CROP if confirmed else cls.FORMER

    @property
    def has_crops(self) -> bool:
        """Whether crops are used."""
        return self in (Trust.FORMER, Trust.CROP, Trust.ELSEWHERE)

    @property
    def has_fields(self) -> bool:
        """Whether fields count; otherwise neurons see the whole image."""
        return self is not Trust.NOTHING
