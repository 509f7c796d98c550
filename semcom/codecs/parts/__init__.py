"""What codecs are made of."""
