"""Running, pausing and starting over, and undoing changes."""
