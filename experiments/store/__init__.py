"""The run's rows: the results file, what goes into it and comes out of it."""
