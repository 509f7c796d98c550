"""Codecs: image to bytes and back, one small file each."""
