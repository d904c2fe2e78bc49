"""`descend derive`."""


def derive() -> None:
    """To come."""
