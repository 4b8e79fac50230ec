"""Fit a tier classifier on labelled prompts, and judge it. The commands: `python -m training --help`."""
