"""Codecs: from an image to bytes or symbols and back, one small file each."""
