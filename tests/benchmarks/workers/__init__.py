"""Processes that time one classifier each, so that every peer lives in an environment of its own."""
