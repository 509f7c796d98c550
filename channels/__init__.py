"""A small link-level library: bits, code blocks, symbols, noise and fading.

Nothing here knows that images exist. Start with :mod:`channels.phy`.
"""
