"""Measurements of the package, run as `python -m benchmarks.<part>.<name>` from a checkout."""
