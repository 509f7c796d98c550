"""What a modem does: bytes to symbols and back, and the choice of how."""
