"""``ldam-studio paper``: the paper's figures, reproduced with the shipped networks."""
