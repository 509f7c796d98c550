"""Models of the physical channel, one per file."""
