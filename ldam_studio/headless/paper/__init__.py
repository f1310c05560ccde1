"""The paper's figures, made again with what is shipped."""
