"""Feature: sessions that were left, to go on with."""
