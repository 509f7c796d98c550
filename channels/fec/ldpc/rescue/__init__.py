"""A second try for the few blocks that belief propagation leaves wrong.

=============  ==============================================================================
``decoder``    the decoder ``listed``, and :func:`~channels.fec.ldpc.rescue.decoder.repair`
``ordered``    ordered-statistics decoding of one block
=============  ==============================================================================
"""
