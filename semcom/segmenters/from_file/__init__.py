"""Masks that people have on disk, in the formats that they come in."""
