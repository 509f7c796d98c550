"""Scores of tasks: whether the receiver can still do something with the picture."""
