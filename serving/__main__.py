"""`python -m serving`: see `serving.arguments` for the commands."""

import sys

from serving.cli import main

if __name__ == "__main__":
    sys.exit(main())
