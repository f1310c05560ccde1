"""The main window: its panels, menus and message bar."""
