"""Frequency-selective channels with an OFDM modem."""
