"""Suites: experiments described by a question, axes, systems and images."""
