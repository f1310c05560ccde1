"""The formats that pictures are exported in, one file each."""
