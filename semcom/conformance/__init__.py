"""What a plugin promises, as checks that the command line and the tests share.

:mod:`~semcom.conformance.digital.checks` has those of digital codecs, and ``semcom check-codec``
runs them on any that is installed. They need no test framework and no files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
