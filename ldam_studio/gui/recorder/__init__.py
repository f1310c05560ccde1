"""Feature: record the images as an animation."""
