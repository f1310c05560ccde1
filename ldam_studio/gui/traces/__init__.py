"""Feature: plots over the steps of a run."""
