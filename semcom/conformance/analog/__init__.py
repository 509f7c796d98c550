"""Checks of analog codecs."""
