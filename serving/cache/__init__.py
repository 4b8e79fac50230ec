"""Answers that are kept, and whom they may answer. Knows no SQL, no web framework, nothing of the proxy."""
