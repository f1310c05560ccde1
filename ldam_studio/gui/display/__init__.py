"""Feature: choose how pixels become colours."""
