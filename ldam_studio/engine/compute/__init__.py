"""Where a session runs: device and precision, the memory it needs, the way to the host."""
