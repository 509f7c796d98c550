"""Channels that carry bits or packets instead of symbols."""
