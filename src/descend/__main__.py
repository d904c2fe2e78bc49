"""`python -m descend`, where the command `descend` is not at hand."""

import sys

from descend.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
