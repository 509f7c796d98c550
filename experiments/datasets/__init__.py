"""Data sets: folders, Kodak's images, and bundled photos."""
