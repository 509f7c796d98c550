"""Checks of a channel's promises (``docs/tutorials/adding-a-channel.md``), as run by ``check-channel``.

:data:`channels.conformance.checks.CHANNEL_CHECKS` are functions of a
:class:`channels.conformance.base.Candidate`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
