"""Learned image codecs: CompressAI's models, and others that speak its language."""
