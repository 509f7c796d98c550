"""Broken channels are on the path in their tests only."""

collect_ignore = ["broken"]
