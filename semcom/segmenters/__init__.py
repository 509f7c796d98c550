"""Segmenters: from an image to masks, one small file each."""
