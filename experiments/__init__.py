"""Experiments on top of semcom: the command line, curves, figures and benchmarks.

The public names stand in ``__init__.pyi``; each is imported on first use, so that
``import experiments`` costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
