"""Feature: real images beside drawn ones."""
