"""The tab for a photograph: which units answer to it, starting from it, pushing it to a class."""
