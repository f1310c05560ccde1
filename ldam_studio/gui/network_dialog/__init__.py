"""The dialog that asks for a network, which several features show."""
