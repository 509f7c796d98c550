"""Linear analog codes: DCT coefficients as the amplitudes of symbols."""
