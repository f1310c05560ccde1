"""Starting and ending the studio."""
