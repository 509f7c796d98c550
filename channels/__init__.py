"""A small link-level library: bits, code blocks, symbols, noise and fading.

Nothing here knows that images exist. The public names stand in ``__init__.pyi``; each is imported
on first use, so that ``import channels`` costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
