"""What a network consists of: layers, units, and what each of them sees."""
