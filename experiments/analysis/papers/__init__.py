"""What papers show: their published curves, and the best of several schemes as they choose it."""
