"""Analysis of results: points, gains, BD-rates and tables."""
