"""``semcom check-channel``: checks of the promises in ``docs/tutorials/adding-a-channel.md``.

:data:`channels.conformance.checks.CHANNEL_CHECKS` are functions of a
:class:`channels.conformance.base.Candidate`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
