"""Where networks come from: the program itself, libraries, or the user's own code."""
