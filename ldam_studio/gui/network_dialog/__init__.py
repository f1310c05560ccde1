"""The dialog that opens a network; several features use it."""
