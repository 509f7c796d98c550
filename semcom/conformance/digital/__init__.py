"""Checks of digital codecs."""
