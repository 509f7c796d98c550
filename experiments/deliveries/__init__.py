"""Deliveries of single images: send, compare, segment and demo."""
