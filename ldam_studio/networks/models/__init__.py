"""The architectures that come with the program."""
