"""Masks from files, in the usual formats."""
