"""Benchmarks: every number to reach, measured beside its peers in one run (`python -m tests.benchmarks`)."""
