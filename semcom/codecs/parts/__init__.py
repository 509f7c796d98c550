"""Components of codecs."""
