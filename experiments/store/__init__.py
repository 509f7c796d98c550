"""The results file: writing, reading, checking and merging of rows."""
