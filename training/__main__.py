"""`python -m training`."""

import sys

try:
    from training.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"error: {error}: python -m training needs what tierwise[training] installs")

if __name__ == "__main__":
    sys.exit(main())
