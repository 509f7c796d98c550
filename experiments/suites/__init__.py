"""Suites: the question, as axes, systems and images."""
