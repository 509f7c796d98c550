"""Frequency-selective channels behind an OFDM modem."""
