"""Where `descend` and `python -m descend` begin: Ctrl-C is answered from here on, also while the rest is imported."""

import sys

from descend.errors import INTERRUPTED


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        from descend.cli.main import main as run
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
