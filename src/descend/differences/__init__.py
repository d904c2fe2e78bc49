"""Derivatives of a function that can only be called: by a complex step, or by differences above its noise."""
