"""What the window reads and writes: pictures with recipes, weights, discriminators."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QFileDialog

from ldam_studio.engine.session import open_session
from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.session.model import Display
from ldam_studio.gui.session.openings import Opening, network_opening
from ldam_studio.networks.sources.families import family_of
from ldam_studio.networks.sources.request import NetworkRequest, RecentNetworks
from ldam_studio.networks.weights.suffixes import (
    SAFETENSORS,
    WEIGHTS_SUFFIXES,
    is_safetensors,
    is_weights,
)

if TYPE_CHECKING:
    from ldam_studio.gui.opening.dialog import NetworkDialog
    from ldam_studio.gui.window.window import StudioWindow
    from ldam_studio.networks.network import Network

ANSWER_S = 2.0  # longer than any step of a network that can be watched
WEIGHTS = f"Weights ({' '.join(f'*{end}' for end in WEIGHTS_SUFFIXES)})"


class Files:
    """Opens and saves for a window; whatever fails is one sentence in its message bar."""

    def __init__(self, window: StudioWindow) -> None:
        self._window = window
        store = window.store
        self._recent = RecentNetworks(None if store is None else store.folder / "networks.json")

    # Pictures

    def export(self) -> None:
        """Save the picture of this moment, as large and where the person says."""
        from ldam_studio.export.png import export
        from ldam_studio.export.recipe import picture_of
        from ldam_studio.export.replay import steps_to_replay
        from ldam_studio.gui.exporting.dialog import KINDS, ExportDialog
        from ldam_studio.gui.exporting.recipe_note import recipe_note

        state = self._moment()
        if state is None:
            return
        pictures = {}
        for what in KINDS:
            try:
                pictures[what] = picture_of(state, self._shown(what))
            except StudioError:
                # No sample has been averaged yet; the dialog offers what there is.
                continue
        dialog = ExportDialog(
            {what: (p.shape[1], p.shape[0]) for what, p in pictures.items()},
            pictures.get,
            self._remembered(),
            self._window,
            recipe_note(
                [lane.network for lane in state.lanes],
                self._window.watching.read_from,
                steps_to_replay(state),
            ),
        )
        choice = dialog.ask()
        dialog.deleteLater()
        if choice is None:
            return
        try:
            done = export(state, self._shown(choice.what, choice.zoom), choice.path)
        except StudioError as error:
            self._window.say(str(error), "danger")
            return
        words = f"Saved {done.path}"
        if done.sidecar is not None:
            words += f" and, for its replay, {done.sidecar.name} beside it"
        if not done.burned_in:
            words += "; the chains had not burned in yet"
        elif done.settling:
            words += "; the chains were still settling"
        self._window.say(words + ".")

    def _remembered(self) -> QSettings | None:
        """Return where the last export's choices are kept, beside the last session."""
        store = self._window.store
        if store is None:
            return None
        return QSettings(str(store.folder / "export.ini"), QSettings.Format.IniFormat)

    def _shown(self, what: str, zoom: int = 1) -> Any:
        from ldam_studio.export.recipe import Shown

        model = self._window.model
        return Shown(what, model.front, model.display.mode, model.display.scale, zoom)

    def _moment(self) -> SessionState | None:
        """Return a copy of the session as it is now."""
        future = self._window.controller.ask(snapshot)
        try:
            return None if future is None else future.result(ANSWER_S)
        except (CancelledError, TimeoutError):
            self._window.say("The sampler did not answer; try again.", "warning")
            return None

    def ask_for_picture(self) -> None:
        """Ask for a picture and open its session."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Open an exported picture", "", "Pictures (*.png)"
        )
        if path:
            self.open(Path(path))

    def ask_for_weights(self) -> None:
        """Ask for weights and look at them."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open weights", "", WEIGHTS)
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Open a picture's session, a file of weights or a network's code, whichever it is."""
        try:
            self.open_or_raise(path)
        except StudioError as error:
            self._window.say(str(error), "danger")

    def open_or_raise(self, path: Path) -> None:
        """Open a picture's session, a file of weights or, once agreed to, a network's code.

        Raises
        ------
        StudioError
            If it is none of them, or is damaged; what runs goes on.
        """
        if path.suffix.lower() == ".png":
            self._window.open(picture_opening(path))
        elif is_weights(path):
            self._open_weights(path)
        elif path.suffix.lower() == ".py":
            self.ask_for_network(NetworkRequest(f"{path}:"))
        else:
            raise StudioError(f"{path} is neither an exported PNG nor weights nor Python code.")

    def _open_weights(self, path: Path) -> None:
        from ldam_studio.networks.sources.built_in import NETWORKS
        from ldam_studio.networks.sources.opening import open_network

        session = self._window.model.session
        if session is None:
            return
        network = session.network
        if network.name not in NETWORKS:
            # It may take long, run code, or need more said than a file's name.
            self.ask_for_network(
                NetworkRequest(
                    network.name,
                    path,
                    network.provenance.given_labels,
                    network.provenance.partial,
                    network.provenance.given_pixels,
                )
            )
            return
        # Moved before it is shown: nothing that the sampler uses is touched from here later.
        network = open_network(session.network.name, path).to(session.device.name)
        self._window.controller.set_network(network)
        self._window.say(f"Now looking at the weights in {path.name}.")

    # Networks

    def ask_for_network(self, request: NetworkRequest | None = None) -> NetworkDialog:
        """Ask for a network, or open one that was asked for before."""
        from ldam_studio.gui.opening.dialog import ask_for_network

        return ask_for_network(self._window, self._open_network, request)

    def _open_network(self, network: Network, request: NetworkRequest) -> None:
        window = self._window
        window.open(network_opening(network, window.device, window.data))
        self.remember_network(request)

    def remember_network(self, request: NetworkRequest) -> None:
        """Put a network at the head of the recent ones."""
        try:
            self._recent.add(request)
        except StudioError as error:
            self._window.say(str(error), "warning")

    def recent_networks(self) -> tuple[NetworkRequest, ...]:
        """Return the networks opened last, newest first."""
        return self._recent.read()

    # Discriminators

    def ask_for_discriminator(self) -> None:
        """Ask for a discriminator's weights and use them."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Open a discriminator's weights", "", WEIGHTS
        )
        if path:
            try:
                self.open_discriminator(Path(path))
            except StudioError as error:
                self._window.say(str(error), "danger")

    def open_discriminator(self, path: Path) -> None:
        """Use a saved discriminator.

        Raises
        ------
        StudioError
            If the file is damaged, or for another architecture; the one in use stays.
        """
        from ldam_studio.networks.discriminators import discriminator_for, open_discriminator

        session = self._window.model.session
        if session is None:
            return
        name = discriminator_for(session.network)
        if name is None:
            raise StudioError(f"There is no discriminator for {session.network.name} yet.")
        self._window.controller.set_discriminator(open_discriminator(name, path))
        self._window.say(f"Now using the discriminator in {path.name}.")

    def save_discriminator(self) -> None:
        """Save the discriminator as it has become."""
        from ldam_studio.networks.weights.weights import write_weights

        state = self._moment()
        module = None if state is None else state.discriminator_module
        if module is None:
            return
        path, _ = QFileDialog.getSaveFileName(
            self._window, "Save the discriminator", "discriminator.safetensors", WEIGHTS
        )
        if not path:
            return
        target = Path(path)
        if not is_safetensors(target):
            target = target.with_name(target.name + SAFETENSORS)
        try:
            write_weights(target, module.state_dict(), {"step": str(state.step)})
        except StudioError as error:
            self._window.say(str(error), "danger")
        else:
            self._window.say(f"Saved {target}.")


def picture_opening(path: Path) -> Opening:
    """Return how to open the session that an exported picture tells of.

    Raises
    ------
    StudioError
        If it is no such picture, or was altered.
    """
    from ldam_studio.export.png import read_recipe
    from ldam_studio.export.replay import Files as Nearby
    from ldam_studio.export.replay import spec_at_export

    recipe = read_recipe(path)
    shown = recipe.shown
    end = recipe.data["end"]
    networks = [end.get("network", {}), (end.get("second") or {}).get("network", {})]
    return Opening(
        title=path.stem,
        make=lambda: open_session(spec_at_export(recipe, Nearby(path.parent))),
        display=Display(shown.display, shown.scale),
        front=shown.front,
        note=f"The session of {path.name}, from its start: its neurons, settings and seed.",
        published=tuple(dict.fromkeys(name for name in map(_published, networks) if name)),
    )


def _published(reference: Mapping[str, Any]) -> str:
    """Return the name of a network of a library, if it is the one with its published weights."""
    name = str(reference.get("name"))
    return name if reference.get("weights") is None and family_of(name).is_library else ""
