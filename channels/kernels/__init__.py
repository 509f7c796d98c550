"""Compiled loops that several models share."""
