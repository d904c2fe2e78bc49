"""`descend compare`."""


def compare() -> None:
    """To come."""
