"""What the air does to symbols: one model, one file."""
