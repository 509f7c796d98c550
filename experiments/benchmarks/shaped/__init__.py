"""Shaped amplitudes: what their blocks need, and what the link carries with them."""
