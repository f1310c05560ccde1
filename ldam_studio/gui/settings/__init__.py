"""Feature: the panel of settings, and presets."""
