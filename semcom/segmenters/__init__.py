"""Segmenters: image to masks, one small file each."""
