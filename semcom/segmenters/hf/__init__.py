"""Segmenters of the SAM family from the Hugging Face hub."""
