"""What the chains of a session have found: do they agree, which images, which real ones."""
