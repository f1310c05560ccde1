"""Feature: the ten digits and the example sessions."""
