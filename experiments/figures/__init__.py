"""Figures of the results of a suite, drawn from its results file alone."""
