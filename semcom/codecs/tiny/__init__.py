"""The codec ``tiny``: a wavelet whose details a small network predicts, coded by tables."""
