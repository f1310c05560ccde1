"""Animations written frame by frame: each file plays after every frame, whatever happens next."""
