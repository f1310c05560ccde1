"""``ldam-studio paper``: the paper's figures, made again with what is shipped."""
