"""The page to browse an atlas: sprite sheets, a table of all neurons, and the browser's files."""
