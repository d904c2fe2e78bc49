"""The options that say what the rows are: which columns count, how much, and which rows are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from descend.options import checks
from descend.options.checks import is_array, is_by_name, is_matrix, is_number, is_path, is_text, is_texts, must_be
from descend.options.option import option
from descend.options.outliers import read_outliers

if TYPE_CHECKING:
    from descend.parameters.ties import Ties

FORMS = ("power", "exponential")
"""How a standard deviation may grow with the prediction."""


@dataclass(init=False, frozen=True, eq=False, repr=False, kw_only=True)
class OptionsOfRows:
    """What the rows are."""

    subject: ClassVar[str] = "The data"
    together: ClassVar[bool] = True
    response: str | None = option(
        None, "Column that a Python function predicts.", check=checks.column, metavar="COLUMN", naming="names"
    )
    inputs: Sequence[str] | None = option(None, check=must_be("a list of names of columns", is_texts), naming="names")
    by: str | Sequence[str] | None = option(
        None,
        "One fit for each group of rows that share the values of these columns, such as plate,well; may be repeated.",
        "texts",
        must_be("the name of a column, or a list of them", is_text, is_texts),
        metavar="COLUMNS",
        label=("One fit for each group of", "分组拟合，每组一次"),
        naming="names",
        often=True,
        needs_rows=True,
        synonyms="group groups group-by groupby",
        range_tested=False,
        inherited=False,
        lacking="`by` fits a formula or a function to each group of rows: a module is fitted to all of them. Leave "
        "out `by`, and fit a new module to the rows of each group.",
    )
    weights: str | None = option(
        None,
        'Row weights, relative to each other: a column, or an expression such as "1/y^2".',
        check=checks.column,
        metavar="COLUMN|TEXT",
        naming="names",
        synonyms="weight sample-weight",
    )
    trials: str | float | None = option(
        None,
        "Of how many trials each share is, as in dead/n ~ ... with n: a column, or a number for all rows.",
        check=must_be(
            "the name of a column, an array with a value for each row, or a number", is_text, is_matrix, is_number
        ),
        metavar="COLUMN|NUMBER",
        label=("Trials", "试验次数"),
        naming="names",
        synonyms="n-trials totals",
    )
    sigma: str | None = option(
        None,
        'Known standard deviations of the response: a column, LOW,HIGH, a number, or an expression like "0.05*y".',
        metavar="COLUMN|LOW,HIGH|TEXT",
        check=must_be("the name of a column, an array with a value for each row, or a number", is_text),
        naming="names",
        often=True,
        synonyms="yerr error uncertainty std",
        lacking="A module has no standard errors, so `sigma` would change none. Use weights instead: a column with 1 / "
        "sigma**2.",
    )
    variance: str | None = option(
        None,
        "Let the standard deviation grow with a power of the prediction, which is estimated, or exponentially.",
        check=must_be("`power` or `exponential`", lambda value: isinstance(value, str) and value in FORMS),
        metavar="power|exponential",
        needs_rows=True,
        range_tested=False,
        lacking="A module has no likelihood in which a `variance` could be estimated. Give weights instead.",
    )
    covariance: Any = option(
        None,
        "Known covariance of the response: a file with a row and a column for each row of data, .npy, CSV or text.",
        check=must_be("a matrix, or the path of a file with one", is_path, is_matrix),
        metavar="FILE",
    )
    x_sigma: Ties = option(
        None,
        "Standard deviation of an input, a column or a number, such as t=dt or t=0.1; may be repeated.",
        *("texts", must_be('standard deviations by name, such as {"t": "dt"}', is_texts, is_by_name)),
        metavar="INPUT=COLUMN|NUMBER",
        naming="names",
        needs_rows=True,
        range_tested=False,
    )
    x_correlation: Ties = option(
        None,
        "Correlation of the errors of an input and of the response, a column or a number, such as t=-0.4.",
        *("texts", must_be('correlations by name, such as {"t": "rho"}', is_texts, is_by_name)),
        metavar="INPUT=COLUMN|NUMBER",
        naming="names",
    )
    censored: Any = option(
        None,
        "Column that says left, right or none in each row, or two columns LOW,HIGH that the response lies between.",
        check=must_be(
            'the name of a column, two such as ("low", "high"), or what codes mean, {"died": {0: "right"}}',
            is_texts,
            is_by_name,
            is_array,
        ),
        metavar="COLUMN|LOW,HIGH",
        naming="names",
        needs_rows=True,
    )
    rounded: float | None = option(
        None,
        "The unit to which the response is rounded, such as 0.1.",
        "number",
        checks.positive("unit of rounding"),
        metavar="UNIT",
        needs_rows=True,
    )
    offset: str | None = option(
        None,
        "Column that is added to the linear predictor: inside exp( ), sigmoid( ), or to the prediction itself.",
        metavar="COLUMN",
        check=must_be("the name of a column, or an array with a value for each row", is_text),
        naming="names",
    )
    exposure: str | None = option(
        None,
        "Column that multiplies the mean of a count, such as the time or the area over which it was counted.",
        metavar="COLUMN",
        check=must_be("the name of a column, or an array with a value for each row", is_text),
        naming="names",
    )
    units: Ties = option(
        None,
        "Unit of a column, such as t=s or V=mV; those of the parameters follow. May be repeated.",
        *("texts", must_be('units by name, such as {"t": "s"}', is_texts, is_by_name)),
        metavar="COLUMN=UNIT",
        flag="--unit",
        naming="keys",
        needs_rows=True,
        lacking="`units` are of columns and of the parameters of a formula: the weights of a module have none. Leave "
        "them out.",
    )
    where: str | None = option(
        None,
        "Use only rows for which this SQL condition holds.",
        check=checks.condition,
        metavar="CONDITION",
        identity="rows",
        synonyms="filter subset condition",
    )
    outliers: str | float | None = option(
        None,
        "List outliers by a false discovery rate of 1%, or drop them; another rate is 0.05, or drop(0.05).",
        check=lambda key, value: read_outliers(value),
        metavar="list|drop|RATE",
        alone="list",
        needs_rows=True,
        range_tested=False,
        lacking="Outliers of a module are not told: nothing says how far its rows should scatter. Leave out "
        "`outliers`.",
    )
    missing: str = option(
        "raise",
        "What to do with rows that lack a value.",
        check=must_be("`raise` or `drop`", is_text),
        metavar="raise|drop",
        identity="rows",
        synonyms="na dropna drop-na nan-policy",
    )
