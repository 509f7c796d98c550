"""What a quantiser should know: where an error is seen, and what rate a step will cost."""
