"""A learned analog codec: a linear code, described compactly, and a network that refines it."""
