"""Figures of suites that disturb what the camera sees."""
