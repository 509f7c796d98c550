"""Files of weights, which learned codecs share."""
