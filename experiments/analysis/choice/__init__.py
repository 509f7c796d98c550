"""Choices among the points of a suite: which of several systems is shown."""
