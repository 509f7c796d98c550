"""Channels with several antennas, and their detection."""
