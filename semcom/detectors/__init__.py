"""Detectors of objects that a text names."""
