"""The codec ``tiny``: a wavelet, learned probabilities, and a network that repairs the picture."""
