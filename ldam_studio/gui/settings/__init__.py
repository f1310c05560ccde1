"""The panel of settings, and presets."""
