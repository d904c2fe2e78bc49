"""`descend predict`."""


def predict() -> None:
    """To come."""
