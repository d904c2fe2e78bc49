"""`descend plot`."""


def plot() -> None:
    """To come."""
