"""What several sub-commands share: flags, progress, Ctrl-C."""
