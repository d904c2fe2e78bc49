"""Where `descend` and `python -m descend` begin: Ctrl-C is answered from here on, also while the rest is imported."""

import gc
import sys

from descend.errors import INTERRUPTED


def main() -> int:
    """Run the command line and return its exit code."""
    gc.set_threshold(100_000)  # Python looks for garbage among all that imports leave behind, over and over
    try:
        from descend.cli.main import main as run
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
