"""The option `sigma` with two columns: standard deviations below and above the response."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from descend.errors import ConfigError
from descend.formula.equations import EACH, at_commas, is_by_response
from descend.losses import LOSSES
from descend.losses.asymmetric import Asymmetric
from descend.options.option import Values
from descend.options.request import OPTIONS
from descend.table import open_table
from descend.wording import spell

Added = Callable[[object, object, object, object], tuple[object, Any, Any]]


def two_sided(data: object, sigma: object) -> tuple[object, object] | None:
    """Return both sides of a sigma, as they were given; None if it is one for both.

    They are a text with a comma, a tuple of two, or a list of two of which one is a text, or an array of shape (2, n).

    >>> [two_sided({"x": [1.0]}, sigma) for sigma in ("lo,hi", "max(a, abs(b))", "y=s,z=0.1")]
    [('lo', 'hi'), None, None]
    """
    if isinstance(sigma, str):
        sides = at_commas(sigma)
        if len(sides) < 2 or is_by_response(sigma) or sigma in open_table(data).names:
            return None
        if len(sides) > 2 or not all(sides):
            raise ConfigError(
                f"`{sigma}` names {len(sides)} standard deviations. Give one, or one below and one above the response, "
                "such as `low,high`."
            )
        return sides[0], sides[1]
    if isinstance(sigma, tuple) and len(sigma) == 2:
        return sigma[0], sigma[1]
    if (
        isinstance(sigma, Sequence)
        and len(sigma) == 2
        and any(isinstance(side_of_sigma, str) or np.ndim(side_of_sigma) for side_of_sigma in sigma)
    ):
        return sigma[0], sigma[1]
    if isinstance(sigma, np.ndarray) and sigma.ndim == 2 and len(sigma) == 2:
        return sigma[0], sigma[1]
    return None


def refuse_beside(options: Values) -> None:
    """Raise ConfigError for what does not go with errors that differ to both sides."""
    loss = LOSSES.build(options.get("loss", OPTIONS["loss"].default))
    if not loss.quadratic:
        raise ConfigError(
            f"`sigma` has two sides, standard deviations of normal errors, but the {loss.name} loss has errors of "
            "another kind. Use the squared loss."
        )
    refused_options = {
        "weights": "both say how far each row is trusted",
        "covariance": "errors that depend on each other are alike to both sides",
        "x_sigma": "errors of inputs go with errors of the response that are alike to both sides",
        "variance": "it estimates how far rows scatter, and sigma says so",
        "censored": "a censored value has one standard deviation",
        "rounded": "a rounded value has one standard deviation",
    }
    for key, why in refused_options.items():
        if options.get(key) is not None:
            raise ConfigError(
                f"{spell(key)} does not go with a {spell('sigma')} of two sides: {why}. Leave out one of the two."
            )


def with_two_sides(model: object, data: object, options: Values, added: Added) -> tuple[object, dict[str, Any]]:
    """Return the data and the options of a fit, whose sigma, if it has two sides, became the loss that reads them.

    added: returns the data with a column of one side, and the names of the columns of weights and sigma.
    """
    sides = two_sided(data, options["sigma"])
    if sides is None:
        return data, dict(options)
    if isinstance(model, str) and ";" in model:
        raise ConfigError(f"`sigma` of two values is that below and above one response, and there are several. {EACH}")
    refuse_beside(options)
    names = []
    for side in sides:
        data, _, name = added(model, data, None, side)
        names.append(name)
    if not all(isinstance(name, str) for name in names):
        raise ConfigError(
            "`sigma` with two sides is two columns, numbers or arrays: standard deviations below and above the "
            "response."
        )
    return data, {**options, "sigma": None, "loss": Asymmetric(*names)}


def as_given(sigma: object) -> object:
    """Return two sides that are texts or numbers as one text, as the command line has them."""
    if (
        isinstance(sigma, tuple | list)
        and len(sigma) == 2
        and all(isinstance(each, str | float | int) for each in sigma)
    ):
        return ",".join(map(str, sigma))
    return sigma
