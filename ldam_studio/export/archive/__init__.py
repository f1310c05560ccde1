"""Session files (``.ldam``): a session, its window and its filmstrip in one zip archive."""
