"""Encoders that are tuned for MS-SSIM: what their modes gain."""
