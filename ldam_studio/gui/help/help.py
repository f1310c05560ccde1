"""The action that opens the help window."""

from __future__ import annotations

from ldam_studio.gui.studio import Entry, Feature, Studio

HELP = Entry("help", "Help", "F1", "Read the guide: settings, keys and more", "help", "Help")


class Help(Feature):
    """Shows the guide in a window that stays open beside the studio."""

    entries = (HELP,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        action = studio.places.action(HELP, self.show)
        studio.places.add_to_menu("Help", action)
        studio.places.add_to_toolbar(action)
        studio.show_help = self.show

    def show(self, page: str = "") -> None:
        """Show the help window, or bring it to the front, and turn to the page with this title."""
        from ldam_studio.gui.help.dialog import HelpDialog

        places = self.studio.places
        dialog = places.root.findChild(HelpDialog)
        if dialog is None:
            dialog = HelpDialog(places.root)
        if page:
            dialog.show_page(page)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
