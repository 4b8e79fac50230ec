"""One module a revision, `r<number>_<what>.py`: four digits, up by one, `upgrade()` alone.

Written by hand beside the change in `serving.state.schema`, whose `REVISION` follows; tests compare the two.
There is no way down: a backup is. All pending revisions run in one transaction, so none may commit.
"""
