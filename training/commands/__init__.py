"""The commands of `python -m training`, one a module; only they compose, read the environment and print."""
