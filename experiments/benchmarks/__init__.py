"""Benchmarks. Each states its goal and its peer and prints numbers; none is a test."""
