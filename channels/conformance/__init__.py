"""Checks of what a channel promises (``docs/adding-a-channel.md``): ``semcom check-channel``.

:data:`channels.conformance.checks.CHANNEL_CHECKS` are functions of a
:class:`channels.conformance.base.Candidate`.
"""
