"""Where `descend` and `python -m descend` begin: Ctrl-C is answered from here on, also while the rest is imported."""

import gc
import signal
import sys

from descend.errors import INTERRUPTED


def main() -> int:
    """Run the command line and return its exit code."""
    gc.set_threshold(100_000)  # Python looks for garbage among all that imports leave behind, over and over
    hear()
    try:
        from descend.cli.main import main as run
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        return 1
    return run()


def hear() -> None:
    """Let the signals that end a program, and a terminal that is closed, do what Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # after nohup one is not heard
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


if __name__ == "__main__":
    sys.exit(main())
