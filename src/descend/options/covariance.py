"""The option `covariance`: a matrix or a file, and the numbers of the rows by which its entries are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from descend.errors import ConfigError
from descend.models import kind_of
from descend.options.arrays_in_a_row import unused_column
from descend.options.option import Values
from descend.table import open_table
from descend.table.in_memory import with_values
from descend.table.response_covariance import Coupling, read_coupling
from descend.wording import spell

COLUMN = "row_of_covariance"
"""The column of the numbers of the rows, which says which rows of the matrix are used."""


def with_covariance(model: object, data: object, options: Values) -> tuple[object, Coupling]:
    """Return the data with a column of the numbers of their rows, and the covariance of these.

    Raises ConfigError for what does not go with it, and DataError for what is no covariance of the rows.
    """
    _refuse(model, options)
    coupling = read_coupling(options["covariance"])
    table = open_table(data)
    column = unused_column(COLUMN, table, model)
    relative = options.get("weights") is not None or options.get("sigma") is not None
    coupling = replace(coupling, column=column, correlation=relative)
    coupling.check(table.rows)
    return with_values(table, column, np.arange(float(table.rows))), coupling


def _refuse(model: object, options: Values) -> None:
    """Raise ConfigError for options that sum rows one by one, or leave them where they are."""
    if kind_of(model).in_place:
        raise ConfigError(f"A module is trained row by row, so that it takes no {spell('covariance')}. Use a formula.")
    if isinstance(model, str) and ";" in model:
        raise ConfigError(
            f"{spell('covariance')} has a row for each row of one response, and there are several. Fit one formula."
        )
    refused_options = {
        "by": "each group is fitted by itself: give its own covariance, with `where`, to a fit of its own",
        "batch_size": "a batch of rows has none of its own",
        "memory_limit": "it couples rows, which have to be in memory",
        "x_sigma": "errors of inputs are eliminated row by row",
        "variance": "it is estimated as if rows were independent",
        "device": "it is worked with on the processor",
    }
    for key, why in refused_options.items():
        if options.get(key) is not None:
            raise ConfigError(f"{spell('covariance')} does not go with {spell(key)}: {why}. Leave out one of the two.")
    if options.get("engine", "auto") not in ("auto", "numpy"):
        raise ConfigError(
            f"{spell('covariance')} does not go with the engine `{options['engine']}`: it couples rows, which NumPy "
            "sums in memory. Leave out the engine."
        )
    if options.get("standardize"):
        raise ConfigError(f"{spell('covariance')} does not go with {spell('standardize')}. Leave out one of the two.")
