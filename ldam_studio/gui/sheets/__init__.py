"""A contact sheet of a layer in a window of its own."""
