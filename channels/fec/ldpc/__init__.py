"""5G NR LDPC codes: 3GPP TS 38.212 §5.3.2 and §5.4.2.

======================  =====================================================================
``code``                :class:`LdpcCode`: one prepared block size; start here
``base_graph``          the two base graphs, lifting sizes, and the rules that choose them
``encoder``             back-substitution through the lifted graph
``rate_matching``       puncturing, filler bits, circular buffer, bit interleaver
``schedule``            the decoder's addresses, computed once per code
``decoders``            the decoders by name: ours in ``decoder_*``, Sionna's in ``sionna_decoders``
``soft_buffer``         received values collected by bit, over redundancy versions
``reference``           the fast decoder again in readable NumPy, for the tests
======================  =====================================================================
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
