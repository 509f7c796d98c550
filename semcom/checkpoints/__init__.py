"""Weights of networks: found, fetched and checked before they are loaded."""
