"""A study as one HTML page that opens from disk: ``semcom report``."""
