"""One module a revision, `r<number>_<what>.py`; numbers have four digits and go up by one."""
