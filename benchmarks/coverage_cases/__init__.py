"""What `benchmarks/coverage.py` counts, a table a file: curves, robust losses, distributions, quantities."""
