"""Forward error correction: CRC, scrambling, transport blocks and LDPC."""
