"""Channels of bits and of packets, without symbols."""
