"""`descend generate`."""


def generate() -> None:
    """To come."""
