"""Attacks: pictures that were changed on purpose, so that a segmenter errs."""
