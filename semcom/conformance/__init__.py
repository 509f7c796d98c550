"""Checks of the promises of codecs, shared by the command line and the tests.

:mod:`~semcom.conformance.digital.checks` contains those of digital codecs, and
``semcom check-codec`` runs them on any installed codec. They need no test framework and no files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
