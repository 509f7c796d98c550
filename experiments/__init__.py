"""Experiments on top of semcom: the command line, curves, figures and benchmarks."""
