"""The entry of the Help menu."""

from __future__ import annotations

from ldam_studio.gui.studio import Entry, Feature, Studio

HELP = Entry("help", "Help", "F1", "What everything does, and all keys", "help", "Help")


class Help(Feature):
    """Shows what everything does, and the keys, in a window that stays open beside the studio."""

    entries = (HELP,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        action = studio.places.action(HELP, self.show)
        studio.places.add_to_menu("Help", action)
        studio.places.add_to_toolbar(action)

    def show(self) -> None:
        """Show the window, or bring it to the front."""
        from ldam_studio.gui.help.dialog import HelpDialog

        places = self.studio.places
        dialog = places.root.findChild(HelpDialog)
        if dialog is None:
            dialog = HelpDialog(places.root)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
