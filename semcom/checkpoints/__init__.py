"""Weights of networks: located, downloaded and verified before they are loaded."""
