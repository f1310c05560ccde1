"""The sessions that come with the program."""
