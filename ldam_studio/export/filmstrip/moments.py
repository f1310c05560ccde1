"""What is pinned of a running session, and going back to it; both between two of its steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.locate import Nearby
from ldam_studio.export.places import is_file_name
from ldam_studio.export.session_file import read_session
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.families import short_name


class OwnCodeError(StudioError):
    """The session of a pin runs a person's own code, which nobody has allowed yet."""


@dataclass(frozen=True)
class Look:
    """A copy of a session, and the picture (H, W, 3) of its front chain that `shown` describes.

    `neuron` is what that chain shows, in words.
    """

    state: SessionState
    picture: Bytes
    shown: Shown
    neuron: str


def look_at(state: SessionState, front: int, display: str, scale: float | None) -> Look:
    """Look at a session as the canvas shows it: the average of a chain, or before that its sample.

    Parameters
    ----------
    display, scale
        As in `Shown`.

    Raises
    ------
    StudioError
        If the picture is too large.
    """
    front = min(front, len(state.lane.neurons) - 1)
    what = "average"
    if not all(bool(lane.shown_average().count[front]) for lane in state.lanes):
        what = "raw"
    shown = Shown(what, front, display, scale)
    neuron = state.lane.neurons[front]
    label, address = state.lane.network.label(neuron), str(neuron)
    words = address if label == address else f"{label} · {address}"
    return Look(snapshot(state), picture_of(state, shown), shown, words)


class AtHand(Nearby):
    """Takes what the running session has open already, and opens the rest as `Nearby` does.

    Parameters
    ----------
    folder
        The folder of the filmstrip.
    state
        The session that runs.
    others
        Further networks that are open.
    allow_code
        Whether networks in own code may be opened.
    """

    def __init__(
        self,
        folder: Path,
        state: SessionState,
        others: Iterable[Network] = (),
        *,
        allow_code: bool = False,
    ) -> None:
        super().__init__(folder, allow_code=allow_code)
        networks = [*(lane.network for lane in state.lanes), *others]
        self._open = [(parse(each.reference, Reference), each) for each in networks]
        self._state = state

    def network(self, reference: Reference) -> Network:
        """Return the network of a reference; raises as `Nearby.network` does."""
        same = [network for known, network in self._open if known == reference]
        # A session file from elsewhere names places that are not here; hashes say what is the same.
        moved = [one for known, one in self._open if _unplaced(known) == _unplaced(reference)]
        here = next(iter((*same, *moved)), None)
        return super().network(reference) if here is None else here

    def discriminator(self, reference: Reference | None) -> DiscriminatorModel | None:
        """Return the discriminator of a reference."""
        here = self._state.discriminator
        if reference is not None and here is not None:
            if parse(here.reference, Reference) == reference:
                return here
        return super().discriminator(reference)

    def place(self, recorded: str) -> Path:
        """Return the folder of real images that a description names.

        Raises
        ------
        StudioError
            If it is not there, or nobody on this computer has used it.
        """
        here = self._state.data
        found = here if str(here) == recorded else super().place(recorded)
        if found is None:
            raise StudioError(
                f"The discriminator learned from the real images in {recorded}, which are not "
                "there or were never used on this computer."
            )
        return found

    def check_code(self, reference: Reference) -> None:
        """Raise `OwnCodeError` if opening a network would run code that nobody allowed."""
        try:
            super().check_code(reference)
        except StudioError:
            raise OwnCodeError(short_name(reference.name)) from None


def moment_in(
    state: SessionState,
    file: Path,
    device: Device,
    others: Iterable[Network] = (),
    *,
    allow_code: bool = False,
) -> SessionState:
    """Return the session in the file of a pin, as it was; `state` is the one that runs.

    Parameters
    ----------
    device
        The device of the studio.
    others
        Further networks that are open.

    Raises
    ------
    OwnCodeError
        If it runs own code that is not open yet and not allowed.
    StudioError
        If the file is damaged, or networks are missing or have changed.
    """
    opener = AtHand(file.parent, state, others, allow_code=allow_code)
    return read_session(file, device, opener=opener, folder=file.parent)


def _unplaced(reference: Reference) -> Reference:
    """Return a reference without the folders and files in which it was found."""
    name = reference.name
    return replace(
        reference,
        name=short_name(name) if is_file_name(name) else name,
        weights=None,
        labels=None,
        mean_of=tuple(replace(part, weights="") for part in reference.mean_of),
    )
