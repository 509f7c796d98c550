"""Bit and block error rates, schemes and their curves."""
