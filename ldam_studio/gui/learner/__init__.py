"""Feature: a discriminator that continues to learn during the session."""
