"""The mathematics of LDAM: tensors in, tensors out. No files, no threads, no window."""
