"""Where networks come from: the program itself, libraries, or a person's own code."""
