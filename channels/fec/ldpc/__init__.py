"""5G NR LDPC codes: 3GPP TS 38.212 §5.3.2 and §5.4.2.

======================  =====================================================================
``code``                :class:`LdpcCode`: one block size, prepared; the way in
``base_graph``          the two base graphs, lifting sizes, and the rules that choose them
``encoder``             back-substitution through the lifted graph
``rate_matching``       puncturing, filler bits, circular buffer, bit interleaver
``schedule``            the decoder's addresses, worked out once per code
``decoders``            the decoders by name; ``decoder_*`` are ours, ``sionna_decoders`` Sionna's
``soft_buffer``         received values gathered by bit, over redundancy versions
``reference``           the fast decoder again in readable NumPy, for the tests
======================  =====================================================================
"""

from channels.fec.ldpc.code import MAX_RATE, LdpcCode, ldpc_code

__all__ = ["MAX_RATE", "LdpcCode", "ldpc_code"]
