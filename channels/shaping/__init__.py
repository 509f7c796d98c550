"""Probabilistic amplitude shaping: strong amplitudes are sent less often than weak ones.

=============  ==============================================================================
``matcher``    bits to sequences of amplitudes of fixed counts, and back
``block``      :class:`~channels.shaping.block.ShapedBlock`: one code block to symbols and back
``packet``     :class:`~channels.shaping.packet.ShapedPacket`: packets of several blocks
=============  ==============================================================================
"""
