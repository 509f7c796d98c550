"""The answer in numbers: points, gains, BD-rates and tables."""
