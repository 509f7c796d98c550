"""Closed forms, against which the simulator is tested and from which links choose their schemes.

SNR is Es/N0 in dB per complex symbol; on fading channels it is the mean (``E|h|² = 1``). Functions
of arrays return arrays of the same shape. Hard decisions choose the nearest symbol, with perfect
knowledge of h.

Examples
--------
The capacity of AWGN at 3 dB is too low for 1.6 bits per use; at 4 dB, even the best code of 500
uses can carry them with few errors.

>>> from channels import theory
>>> bool(theory.capacity("awgn", 3.0) < 1.6)
True
>>> bool(theory.normal_approximation_bler(800, 500, 4.0) < 0.01)
True
"""

from channels.theory.ber import ber_awgn as ber_awgn
from channels.theory.ber import ber_fading as ber_fading
from channels.theory.ber import ber_middleton as ber_middleton
from channels.theory.ber import ber_mrc as ber_mrc
from channels.theory.ber import ber_qpsk_phase_error as ber_qpsk_phase_error
from channels.theory.ber import ber_rayleigh as ber_rayleigh
from channels.theory.ber import ber_rician as ber_rician
from channels.theory.capacity import CAPACITIES as CAPACITIES
from channels.theory.capacity import capacity as capacity
from channels.theory.capacity import normal_approximation_bler as normal_approximation_bler
from channels.theory.capacity import outage_fading as outage_fading
from channels.theory.capacity import outage_rayleigh as outage_rayleigh
from channels.theory.capacity import outage_rician as outage_rician
from channels.theory.capacity import rayleigh_capacity as rayleigh_capacity
from channels.theory.information import bicm_mutual_information as bicm_mutual_information
from channels.theory.information import effective_snr_db as effective_snr_db
from channels.theory.information import equivalent_snr_db as equivalent_snr_db
from channels.theory.information import information_of_snr_db as information_of_snr_db
from channels.theory.information import snr_db_of_information as snr_db_of_information
from channels.theory.mimo import ber_zf as ber_zf
from channels.theory.mimo import mimo_capacity as mimo_capacity
