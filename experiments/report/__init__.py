"""``semcom report``: writes the results of a suite as one HTML page that opens from disk."""
