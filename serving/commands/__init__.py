"""The commands of `python -m serving`, a module each."""
