"""Where networks come from: the program itself, libraries, a person's own code."""
