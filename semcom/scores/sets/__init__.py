"""Distances between a set of original pictures and a set of received ones: FID and KID."""
