"""Figures and tables of a study, from its results file alone."""
