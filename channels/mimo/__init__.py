"""Several antennas: the channel and its detection."""
