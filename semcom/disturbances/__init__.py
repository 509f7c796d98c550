"""Disturbances: what happens to a picture before the sender's camera delivers it."""
