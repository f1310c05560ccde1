"""Reading files of weights by their content, without running anything that is in them."""
